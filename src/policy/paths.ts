/** Resolves paths in policies, which are relative to the policy's file. */
import { LandlockError } from "../errors/errors.ts";
import { settingsAs } from "../errors/hints.ts";
import { currentDirectory, inFolder } from "../kernel/names.ts";
import { expand, type Complain, type Variables } from "./variables.ts";

/** Makes a path absolute. It keeps `..`, which means another folder after a symbolic link. */
export function absolute(path: string, base: string): string {
  if (path.startsWith("/")) return path;
  const rest = path.replace(/^(\.\/+)+/, "").replace(/^\.$/, "");
  return rest === "" ? base : inFolder(base, rest);
}

/**
 * Makes a path absolute, starting from the current directory.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if that is gone, or its name isn't UTF-8
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
    `Cannot use ${JSON.stringify(whole)}: it is not UTF-8; use a directory whose name is UTF-8`,
    { path },
  );
}

/** What all paths of a policy depend on. */
export interface Origin {
  /** The folder that relative paths start from. */
  readonly base: string;
  readonly variables: Variables;
  readonly complain: Complain;
}

/**
 * Expands variables and makes paths absolute, as rules need them.
 *
 * @param key The list's key in the policy, for messages
 */
export function toPaths(templates: readonly string[], key: string, origin: Origin): string[] {
  return templates.flatMap((template, i) => {
    const place = `${key}[${i}]`;
    if (/^~(\/|$)/.test(template)) {
      const home = settingsAs(origin.complain.notation, { variables: { HOME: { env: "HOME" } } });
      throw origin.complain(
        place,
        `${JSON.stringify(template)} is not expanded: write \${HOME}, with ${home}, or ./~ for a file of that name`,
      );
    }
    return expand(template, origin.variables, place, origin.complain).map((path) =>
      absolute(path, origin.base),
    );
  });
}
