/** Paths of policies are relative to the file they stand in. */
import { LandlockError } from "../errors/errors.ts";
import { currentDirectory, inFolder } from "../kernel/names.ts";
import { expand, type Complain, type Variables } from "./variables.ts";

/** The path as seen from a folder. `..` stays: behind a symbolic link it means another folder. */
export function absolute(path: string, base: string): string {
  if (path.startsWith("/")) return path;
  const rest = path.replace(/^(\.\/+)+/, "").replace(/^\.$/, "");
  return rest === "" ? base : inFolder(base, rest);
}

/**
 * The path as seen from the current directory.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where that is gone, or has a name that is not UTF-8
 */
export function fromHere(path: string): string {
  if (path.startsWith("/")) return path;
  let cwd: string;
  try {
    cwd = currentDirectory();
  } catch (cause) {
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot use ${JSON.stringify(path)}: the current directory is gone; give an absolute path`,
      { path, cause },
    );
  }
  const whole = absolute(path, cwd);
  if (whole.isWellFormed()) return whole;
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot use ${JSON.stringify(whole)}: it is not UTF-8; use a directory whose name is`,
    { path },
  );
}

/** What all paths of a policy have in common. */
export interface Origin {
  /** The folder that relative paths belong to. */
  readonly base: string;
  readonly variables: Variables;
  readonly complain: Complain;
}

/**
 * Paths as rules have them: absolute, and without variables.
 *
 * @param key Where the list stands in the policy, for messages
 */
export function toPaths(templates: readonly string[], key: string, origin: Origin): string[] {
  return templates.flatMap((template, i) => {
    const place = `${key}[${i}]`;
    if (/^~(\/|$)/.test(template)) {
      throw origin.complain(
        place,
        `${JSON.stringify(template)} is not expanded: write \${HOME}, with "variables": { "HOME": { "env": "HOME" } }, or ./~ for a file of that name`,
      );
    }
    return expand(template, origin.variables, place, origin.complain).map((path) =>
      absolute(path, origin.base),
    );
  });
}
