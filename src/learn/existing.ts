/** Reads the policy to extend, or records that there is none. */
import { accessSync, constants, lstatSync, readFileSync, statSync, type Stats } from "node:fs";
import { LandlockError } from "../errors/errors.ts";
import { newestAbi } from "../kernel/abi.ts";
import { parentOf, realPath } from "../kernel/names.ts";
import { close } from "../kernel/syscalls.ts";
import { openOwned, ownPolicy } from "../policy/owner.ts";
import { fromHere } from "../policy/paths.ts";
import { isOwnFormat, readFile } from "../policy/read.ts";
import type { Rule } from "../sandbox/rules.ts";
import type { Limits } from "./content.ts";
import { Coverage } from "../advise/coverage.ts";
import { Folder } from "./folder.ts";

/** A policy's file before the run. */
export interface Existing extends Limits {
  /** The absolute path. */
  readonly path: string;
  /** Its folder, without symbolic links. */
  readonly base: string;
  /** The same folder, held open. */
  readonly folder: Folder;
  /** Its text; undefined if there is no such file. */
  readonly text: string | undefined;
  readonly rules: readonly Rule[];
  /** What its rules grant. */
  readonly already: Coverage;
  /** The table of variables. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Checks the file before the command runs, so that a mistake doesn't waste the run.
 *
 * @param merge Whether to extend an existing file
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if it can't be written, another user may change it as
 *   checked for `-policy`, or it exists and must not be extended; `ERR_LANDLOCK_USAGE` if it
 *   isn't a TOML policy of this library
 */
export function existingPolicy(file: string, merge: boolean): Existing {
  const path = fromHere(file);
  const name = JSON.stringify(path);
  if (!path.endsWith(".toml")) {
    throw new LandlockError(
      "ERR_LANDLOCK_USAGE",
      `${name} is not what learn writes: call it something.toml`,
    );
  }
  const base = folderFor(path);
  // Refuse a file that another user may change now. After the run, the result would be lost or
  // based on a forged policy.
  const fd = openOwned(path, ownPolicy);
  if (fd >= 0) close(fd);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    const nothing = { abi: newestAbi, unrestricted: [], variables: {} };
    const folder = openFolder(path, base);
    return { path, base, folder, text: undefined, rules: [], already: new Coverage(), ...nothing };
  }
  if (!merge) {
    throw unusable(path, `${name} exists: add -merge to extend it, or give another name`);
  }
  if (stats.isSymbolicLink()) {
    throw unusable(path, `${name} is a symbolic link: name the file that it leads to`);
  }
  if (!stats.isFile()) throw unusable(path, `${name} is not a regular file: give another name`);
  requireOwn(path, stats);
  const { config, rules } = readFile(path, { ifForeign: ownPolicy });
  const text = readFileSync(path, "utf8");
  const value = Bun.TOML.parse(text) as {
    unrestricted?: string[];
    variables?: Record<string, unknown>;
  };
  if (!isOwnFormat(value)) {
    throw new LandlockError(
      "ERR_LANDLOCK_USAGE",
      `${name} is in the format of landlockconfig, which learn does not write: give another name`,
    );
  }
  const already = new Coverage();
  for (const rule of rules) already.add(rule);
  const { unrestricted = [], variables = {} } = value;
  const folder = openFolder(path, base);
  return { path, base, folder, text, rules, already, abi: config.abi, unrestricted, variables };
}

/**
 * The folder of a policy, without symbolic links. It must be a folder in which a file can be made.
 */
function folderFor(path: string): string {
  const name = JSON.stringify(path);
  const folder = parentOf(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw unusable(path, `Cannot write ${name}: its folder does not exist; create it`);
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = "an error" } = error as { code?: string };
    throw unusable(
      path,
      `Cannot write ${name}: no file can be made in its folder (${code}); give another one`,
    );
  }
  const base = realPath(folder);
  if (base.isWellFormed()) return base;
  throw unusable(
    path,
    `Cannot write ${name}: the name of its folder is not UTF-8; give another one`,
  );
}

function openFolder(path: string, base: string): Folder {
  try {
    return new Folder(path, base);
  } catch (error) {
    const { code = "an error" } = error as { code?: string };
    throw unusable(
      path,
      `Cannot write ${JSON.stringify(path)}: its folder cannot be opened (${code}); chmod u+r it`,
    );
  }
}

/** A replaced file keeps its owner and mode, which not every user can set. */
function requireOwn(path: string, { uid }: Stats): void {
  const user = process.geteuid?.() ?? 0;
  const name = JSON.stringify(path);
  if (user !== 0 && uid !== user) {
    throw unusable(
      path,
      `Cannot write ${name}: it belongs to another user; learn into another file`,
    );
  }
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    const { code = "an error" } = error as { code?: string };
    throw unusable(path, `Cannot write ${name}: it is not writable (${code}); chmod u+w it`);
  }
}

function unusable(path: string, message: string): LandlockError {
  return new LandlockError("ERR_LANDLOCK_PATH", message, { path });
}
