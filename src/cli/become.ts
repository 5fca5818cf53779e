/** Becomes the command, as it would have been started by a plain exec. */
import { execve, loadNative } from "../kernel/native.ts";
import { openFileLimit, readFile } from "../kernel/syscalls.ts";
import { environmentOf, type EnvironmentRequest } from "./environment.ts";

/**
 * Gets everything ready for replacing this process by a program: files that are out of reach
 * once it is restricted are read here.
 *
 * @param path The program's path
 * @param words The last words of this process's command line, the command among them
 * @param commandAt Where the command starts in them
 * @returns The function that does it; its result is the negative errno of execve(2)
 */
export function become(
  path: string,
  words: readonly string[],
  commandAt: number,
  environment: EnvironmentRequest,
): () => number {
  // What Bun made of them could have lost bytes that are not UTF-8, or gained from a .env file.
  const raw = rawStrings("/proc/self/cmdline")?.slice(-words.length) ?? words.map(toBytes);
  const inherited =
    rawStrings("/proc/self/environ") ??
    Object.entries(process.env).map(([name, value]) => toBytes(`${name}=${value ?? ""}`));
  const argv = raw.slice(commandAt);
  const named = environment.words.map((at) => raw[at]!);
  const envp = environmentOf(inherited, environment.cleared, named);
  const limit = inheritedOpenFiles();
  loadNative();
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
