/** Becomes the command, as it would have been started by a plain exec. */
import { execve, inheritDescriptors } from "../kernel/native.ts";
import { openFileLimit, readFile } from "../kernel/syscalls.ts";

/**
 * Gets everything ready for replacing this process by a program: files that are out of reach
 * once it is restricted are read here.
 *
 * @param path The program's path
 * @param command Its words, the last ones of this process's command line
 * @returns The function that does it; its result is the negative errno of execve(2)
 */
export function become(path: string, command: readonly string[]): () => number {
  // What Bun made of them could have lost bytes that are not UTF-8, or gained from a .env file.
  const words = rawStrings("/proc/self/cmdline")?.slice(-command.length);
  const environment = rawStrings("/proc/self/environ");
  const argv = words ?? command.map(toBytes);
  const envp =
    environment ??
    Object.entries(process.env).map(([name, value]) => toBytes(`${name}=${value ?? ""}`));
  const limit = inheritedOpenFiles();
  inheritDescriptors();
  return () => execve(path, argv, envp, limit);
}

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

/** The NUL-terminated strings of a file, or undefined where it cannot be read. */
function rawStrings(path: string): Uint8Array[] | undefined {
  const bytes = readFile(path);
  if (bytes === undefined) return undefined;
  const strings: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    strings.push(bytes.slice(start, end < 0 ? bytes.length : end + 1));
    start = end < 0 ? bytes.length : end + 1;
  }
  return strings;
}

/**
 * The soft limit on open files that this process was started with, 0: as it is. Bun raises its
 * own to the hard limit and does not keep the old one, but the parent still has it.
 */
function inheritedOpenFiles(): bigint {
  const own = openFileLimit(0);
  const parents = openFileLimit(process.ppid);
  const raised = own && parents && own.soft === own.hard && parents.hard === own.hard;
  return raised && parents.soft < own.soft ? parents.soft : 0n;
}
