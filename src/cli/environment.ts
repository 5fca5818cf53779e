/** What the command finds in its environment. Entries are bytes: `NAME=VALUE` and a NUL. */
import { inheritedVariable } from "../kernel/inherited.ts";

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
