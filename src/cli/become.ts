/** Becomes the command, as it would have been started by a plain exec. */
import { inheritedStrings, inheritedVariable } from "../kernel/inherited.ts";
import { bytesOf } from "../kernel/names.ts";
import { execve, loadNative } from "../kernel/native.ts";

/**
 * Gets everything ready for replacing this process by a program: files that are out of reach
 * once it is restricted are read here.
 *
 * @param path The program's path
 * @param words The command line, as `nameOf()` has it
 * @param commandAt Where the command starts in it
 * @param openFiles The soft limit on open files that it gets
 * @returns The function that does it; its result is the negative errno of execve(2)
 */
export function become(
  path: string,
  words: readonly string[],
  commandAt: number,
  environment: EnvironmentRequest,
  openFiles: number,
): () => number {
  // What Bun made of it could have lost bytes that are not UTF-8, or gained from a .env file.
  const inherited =
    inheritedStrings("environ") ??
    Object.entries(process.env).map(([name, value]) => bytesOf(`${name}=${value ?? ""}\0`));
  const argv = words.slice(commandAt).map((word) => bytesOf(`${word}\0`));
  const named = environment.words.map((at) => bytesOf(`${words[at]}\0`));
  const envp = environmentOf(inherited, environment.cleared, named);
  loadNative();
  return () => execve(path, argv, envp, BigInt(openFiles));
}

/** What a command line says about the environment. */
export interface EnvironmentRequest {
  /** Whether the command gets nothing but what is named. */
  readonly cleared: boolean;
  /** Where the words of `-env` stand in the command line: `NAME` or `NAME=VALUE`. */
  readonly words: readonly number[];
}

const equals = "=".charCodeAt(0);

/**
 * Where the command is looked for. As env(1): a PATH that it is given is the one that it is found
 * on.
 *
 * @param words The command line that `request` is about
 */
export function searchPath(
  request: EnvironmentRequest,
  words: readonly string[],
): string | undefined {
  const set = request.words.map((at) => words[at]!).findLast((word) => /^PATH=/.test(word));
  if (set !== undefined) return set.slice("PATH=".length);
  const { PATH } = process.env;
  // Bun replaces bytes that are not UTF-8.
  return PATH?.includes("\ufffd") ? (inheritedVariable("PATH") ?? PATH) : PATH;
}

/**
 * Makes the environment of the command.
 *
 * @param inherited The environment of this process
 * @param cleared Whether to leave out what is not named
 * @param named `NAME=VALUE` sets, `NAME` passes on what is inherited; the last of a name counts
 */
export function environmentOf(
  inherited: readonly Uint8Array[],
  cleared: boolean,
  named: readonly Uint8Array[],
): Uint8Array[] {
  // Most often: there is nothing to look for in what can be hundreds of entries.
  if (named.length === 0) return cleared ? [] : [...inherited];
  const byName = new Map(named.map((entry) => [nameIn(entry), entry]));
  const untouched = cleared ? [] : inherited.filter((entry) => !byName.has(nameIn(entry)));
  const chosen = [...byName].flatMap(([name, entry]) =>
    entry.includes(equals) ? [entry] : inherited.filter((other) => nameIn(other) === name),
  );
  return [...untouched, ...chosen];
}

/** Names may hold bytes that are no UTF-8: in latin1 each byte is a character. */
function nameIn(entry: Uint8Array): string {
  const end = entry.indexOf(equals);
  // Without a value, all but the NUL.
  return Buffer.from(end < 0 ? entry.subarray(0, -1) : entry.subarray(0, end)).toString("latin1");
}
