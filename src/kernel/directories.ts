/** Makes the missing directories of rules with `.createIfMissing()`. */

const ENOENT = -2;
const EEXIST = -17;

/**
 * Makes a directory and those above it that are missing.
 *
 * @param made Gets each directory that was made, in that order, for `removeDirectories()`
 * @returns 0, also if something of that name is there by now; otherwise a negative errno
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

/** Removes directories that were made for nothing, unless something is in them by now. */
export function removeDirectories(made: readonly string[]): void {
  for (const path of made.toReversed()) {
    try {
      fs().rmdirSync(path);
    } catch {
      return;
    }
  }
}

/** Loading node:fs takes 3 ms, and most rulesets make no directory. */
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
    return -Math.abs(errno);
  }
}
