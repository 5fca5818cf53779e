/** Finds the policy of a program. */
import { LandlockError } from "../errors/errors.ts";
import { inFolder, parentOf } from "../kernel/names.ts";
import { close, openPath } from "../kernel/syscalls.ts";

const ENOENT = -2;
const ENOTDIR = -20;

/**
 * Finds the nearest package.json, from the folder of a script upwards.
 *
 * @param script Absolute path
 * @returns Its path
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where there is none, or the script is part of an
 *   installed package
 */
export function packageOf(script: string): string {
  for (let folder = parentOf(script); ; folder = parentOf(folder)) {
    const path = inFolder(folder, "package.json");
    if (exists(path)) return owned(path);
    if (folder === "/") break;
  }
  throw noPolicy(`there is no package.json in the folder of ${JSON.stringify(script)} or above`);
}

/** A program from elsewhere must not say itself what it may do. */
function owned(path: string): string {
  // In Bun's cache, which the files of node_modules may be links to, each folder ends in "@@@1".
  if (!/\/node_modules\/|@@@\d*\//.test(path)) return path;
  throw noPolicy(`${JSON.stringify(path)} belongs to an installed package`);
}

function noPolicy(why: string): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot find a policy: ${why}; name a file with BUN_LANDLOCK_POLICY`,
  );
}

/** One that is there and cannot be opened counts: reading it says what is wrong. */
function exists(path: string): boolean {
  if (process.platform !== "linux") {
    return (require("node:fs") as typeof import("node:fs")).existsSync(path);
  }
  const fd = openPath(path);
  if (fd >= 0) close(fd);
  return fd !== ENOENT && fd !== ENOTDIR;
}
