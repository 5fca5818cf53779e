/** Makes the rules of presets. */
import { trusted } from "../validate/values.ts";
import type { FsRight } from "../kernel/abi.ts";
import { FsRule } from "../sandbox/rules.ts";

const read: readonly FsRight[] = ["read_file"];
const list: readonly FsRight[] = ["read_file", "read_dir"];
const names: readonly FsRight[] = ["read_dir"];
const run: readonly FsRight[] = ["execute", "read_file"];
const write: readonly FsRight[] = ["write_file", "read_file", "truncate"];
const connect: readonly FsRight[] = ["resolve_unix"];

/**
 * Paths, or a map from each path to the inspected file's identity. An identity is empty if the file
 * was not inspected.
 */
type Paths = readonly string[] | ReadonlyMap<string, string>;

/**
 * Grants less than `roFiles()`, which also allows executing: presets know what a file is for. No
 * right is explicit, so a Config that doesn't handle one narrows the rule, as with `roDirs()`.
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
 * Grants reading files, or everything beneath directories without listing them. Skips missing ones.
 *
 * @param chosenBy The files whose content chose these paths, and missing ones that would
 */
export function readable(paths: Paths, chosenBy?: readonly string[]): FsRule {
  return grant(read, paths, chosenBy);
}

/** Grants reading and listing everything beneath directories. Skips missing ones. */
export function listable(paths: readonly string[]): FsRule {
  return grant(list, paths);
}

/** Grants listing directories and everything beneath, without reading files. Skips missing ones. */
export function browsable(paths: Paths): FsRule {
  return grant(names, paths);
}

/** Grants executing files, which includes reading them. Skips missing ones. */
export function runnable(paths: Paths): FsRule {
  return grant(run, paths);
}

/** Grants reading and writing files. Skips missing ones. */
export function writable(paths: readonly string[]): FsRule {
  return grant(write, paths);
}

/** Grants connecting to UNIX sockets, which needs a right from ABI 9 on. Skips missing ones. */
export function connectable(paths: readonly string[]): FsRule {
  return grant(connect, paths);
}
