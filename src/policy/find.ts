/** Finds the policy of a program. */
import { ENOENT, ENOTDIR } from "../errors/errno.ts";
import { LandlockError } from "../errors/errors.ts";
import { inFolder, parentOf } from "../kernel/names.ts";
import { close, openPath } from "../kernel/syscalls.ts";

/**
 * Finds the nearest package.json in a script's folder or above.
 *
 * @param script Absolute path
 * @returns The path of the package.json
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if there is none, or the script is part of an
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

/** An installed package must not choose its own permissions. */
function owned(path: string): string {
  // node_modules may contain links into Bun's cache, where each folder ends in "@@@1".
  if (!/\/node_modules\/|@@@\d*\//.test(path)) return path;
  throw noPolicy(`${JSON.stringify(path)} belongs to an installed package`);
}

function noPolicy(why: string): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot find a policy: ${why}; name a file with BUN_LANDLOCK_POLICY`,
  );
}

/** A file that can't be opened counts too: reading it reports the reason. */
function exists(path: string): boolean {
  if (process.platform !== "linux") {
    return (require("node:fs") as typeof import("node:fs")).existsSync(path);
  }
  const fd = openPath(path);
  if (fd >= 0) close(fd);
  return fd !== -ENOENT && fd !== -ENOTDIR;
}
