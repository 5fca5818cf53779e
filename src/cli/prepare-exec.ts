/** Replaces this process by the command, as a plain exec would start it. */
import { inheritedStrings, inheritedVariable } from "../kernel/inherited.ts";
import { bytesOf } from "../kernel/names.ts";
import { execve, loadNative } from "../kernel/native.ts";

/**
 * Prepares to replace this process by a program. It reads files now that the restriction may block
 * later.
 *
 * @param path The program's path
 * @param words The command line, as decoded by `nameOf()`
 * @param commandAt The index of the command in it
 * @param openFiles The program's soft limit on open files
 * @returns A function that calls execve(2); it only returns on failure, with an errno
 */
export function prepareExec(
  path: string,
  words: readonly string[],
  commandAt: number,
  environment: EnvironmentRequest,
  openFiles: number,
): () => number {
  // `process.env` may have lost bytes that aren't UTF-8, and may contain variables of a .env file.
  const inherited =
    inheritedStrings("environ") ??
    Object.entries(process.env).map(([name, value]) => bytesOf(`${name}=${value ?? ""}\0`));
  const argv = words.slice(commandAt).map((word) => bytesOf(`${word}\0`));
  const named = environment.words.map((at) => bytesOf(`${words[at]}\0`));
  const envp = environmentOf(inherited, environment.cleared, named);
  loadNative();
  return () => execve(path, argv, envp, BigInt(openFiles));
}

/** The command line's options for the environment. */
export interface EnvironmentRequest {
  /** Whether the command only gets the variables that `-env` names. */
  readonly cleared: boolean;
  /** The indexes of the words of `-env` in the command line: `NAME` or `NAME=VALUE`. */
  readonly words: readonly number[];
}

const equals = "=".charCodeAt(0);

/**
 * The PATH on which the command is looked up. As in env(1), a PATH set for the command applies.
 *
 * @param words The command line that `request` refers to
 */
export function searchPath(
  request: EnvironmentRequest,
  words: readonly string[],
): string | undefined {
  const set = request.words.map((at) => words[at]!).findLast((word) => /^PATH=/.test(word));
  if (set !== undefined) return set.slice("PATH=".length);
  const { PATH } = process.env;
  // Bun replaces bytes that aren't UTF-8.
  return PATH?.includes("\ufffd") ? (inheritedVariable("PATH") ?? PATH) : PATH;
}

/**
 * Makes the command's environment.
 *
 * @param inherited The environment of this process
 * @param cleared Whether to drop variables that aren't named
 * @param named `NAME=VALUE` sets a variable, and `NAME` passes on an inherited one; the last entry
 *   of a name counts
 */
export function environmentOf(
  inherited: readonly Uint8Array[],
  cleared: boolean,
  named: readonly Uint8Array[],
): Uint8Array[] {
  // The usual case: avoids searching what may be hundreds of entries.
  if (named.length === 0) return cleared ? [] : [...inherited];
  const byName = new Map(named.map((entry) => [nameIn(entry), entry]));
  const untouched = cleared ? [] : inherited.filter((entry) => !byName.has(nameIn(entry)));
  const chosen = [...byName].flatMap(([name, entry]) =>
    entry.includes(equals) ? [entry] : inherited.filter((other) => nameIn(other) === name),
  );
  return [...untouched, ...chosen];
}

/** Names may contain bytes that aren't UTF-8. latin1 decodes each byte to one character. */
function nameIn(entry: Uint8Array): string {
  const end = entry.indexOf(equals);
  // An entry without a value: the name is everything before the NUL.
  return Buffer.from(end < 0 ? entry.subarray(0, -1) : entry.subarray(0, end)).toString("latin1");
}
