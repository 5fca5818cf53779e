/** The rules that presets are made of. */
import { trusted } from "../sandbox/frozen.ts";
import type { FsRight } from "../kernel/abi.ts";
import { FsRule } from "../sandbox/rule.ts";

const read: readonly FsRight[] = ["read_file"];
const list: readonly FsRight[] = ["read_file", "read_dir"];
const names: readonly FsRight[] = ["read_dir"];
const run: readonly FsRight[] = ["execute", "read_file"];
const write: readonly FsRight[] = ["write_file", "read_file", "truncate"];
const connect: readonly FsRight[] = ["resolve_unix"];

/** Paths, or from each path to the identity of the file that was looked at, "": it was not. */
type Paths = readonly string[] | ReadonlyMap<string, string>;

/**
 * Presets know what a file is for, so they grant less than `roFiles()`, which lets it be executed
 * too. None of the rights is explicit: under a Config that does not handle one, the rule is
 * narrowed, as those of `roDirs()` are.
 */
function grant(access: readonly FsRight[], given: Paths, chosenBy?: readonly string[]): FsRule {
  const paths = given instanceof Map ? [...given.keys()] : [...new Set(given as readonly string[])];
  return new FsRule(
    {
      access,
      explicit: [],
      paths,
      onFile: "narrow",
      onMissing: "skip",
      onDenial: "log",
      ...(chosenBy ? { chosenBy } : {}),
      ...(given instanceof Map ? { identities: [...given.values()] } : {}),
    },
    trusted,
  );
}

/**
 * Reading files, or everything beneath directories without listing them. Missing ones are skipped.
 *
 * @param chosenBy The files whose content chose these paths
 */
export function readable(paths: Paths, chosenBy?: readonly string[]): FsRule {
  return grant(read, paths, chosenBy);
}

/** Reading and listing everything beneath directories. Missing ones are skipped. */
export function listable(paths: readonly string[]): FsRule {
  return grant(list, paths);
}

/** Listing directories and all beneath, without reading what is in them. Missing ones are skipped. */
export function browsable(paths: Paths): FsRule {
  return grant(names, paths);
}

/** Executing files, which takes reading them too. Missing ones are skipped. */
export function runnable(paths: Paths): FsRule {
  return grant(run, paths);
}

/** Reading and writing files. Missing ones are skipped. */
export function writable(paths: readonly string[]): FsRule {
  return grant(write, paths);
}

/** Connecting to UNIX sockets, which takes a right from ABI 9 on. Missing ones are skipped. */
export function connectable(paths: readonly string[]): FsRule {
  return grant(connect, paths);
}
