/** Makes the missing directories of rules with `.createIfMissing()`. */

import { EEXIST, ENOENT } from "../errors/errno.ts";

/**
 * Makes a directory and its missing parents.
 *
 * @param made Receives each directory that was made, in order, for `removeDirectories()`
 * @returns 0, even if something with that name exists by then; otherwise an errno
 */
export function makeDirectory(path: string, made: string[]): number {
  let errno = mkdir(path, made);
  if (errno === ENOENT) {
    const parent = path.replace(/\/*[^/]*\/*$/, "");
    if (parent === "") return errno;
    errno = makeDirectory(parent, made);
    if (errno === 0) errno = mkdir(path, made);
  }
  return errno === EEXIST ? 0 : errno;
}

/** Removes directories that turned out to be unnecessary, unless they have content by now. */
export function removeDirectories(made: readonly string[]): void {
  for (const path of made.toReversed()) {
    try {
      fs().rmdirSync(path);
    } catch {
      return;
    }
  }
}

/** Loads node:fs on demand: it takes 3 ms, and most rulesets make no directory. */
function fs() {
  return require("node:fs") as typeof import("node:fs");
}

function mkdir(path: string, made: string[]): number {
  try {
    fs().mkdirSync(path, 0o777);
    made.push(path);
    return 0;
  } catch (error) {
    const { errno = 0 } = error as NodeJS.ErrnoException;
    return Math.abs(errno);
  }
}
