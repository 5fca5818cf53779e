/**
 * What one run may replace by a link must not decide what the next run is granted: the path of a
 * rule may lead to other places beneath a directory that the rules let be changed, but not out of it.
 */
import { LandlockError } from "./errors.ts";
import type { FsRight } from "./kernel/abi.ts";
import { close, openPath, readOpenLink } from "./kernel/syscalls.ts";
import { O_NOFOLLOW } from "./kernel/uapi.ts";
import type { PathRule, PortRule } from "./plan.ts";

/** Rights with which a link comes to a place, by itself or in a directory that is renamed. */
const swapping: readonly FsRight[] = ["remove_dir", "make_sym", "refer"];

/** The directories that rules let be changed: from the whole path as it is written to that of the rule. */
export type Open = ReadonlyMap<string, string>;

/** Those of these rules. Only strings are compared, so that most rulesets cost no system call. */
export function openTo(rules: readonly (PathRule | PortRule)[]): Open {
  const open = new Map<string, string>();
  for (const rule of rules) {
    if ("port" in rule || !rule.access.some((right) => swapping.includes(right))) continue;
    const place = placesOn(rule.path).at(-1);
    // Nothing is outside of the root.
    if (place) open.set(place, rule.path);
  }
  return open;
}

/**
 * Checks where the path of a rule leads, before the rule is added or its directory is made.
 *
 * @param fd What is open at that path, or at the last directory above it that exists
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if it is out of a directory that the path goes through
 */
export function refuseOutside({ path, access, identity }: PathRule, fd: number, open: Open): void {
  // A preset looked at it, and the plan names it under `rewritable`.
  if (open.size === 0 || identity !== undefined) return;
  for (const place of placesOn(path).slice(0, -1)) {
    const folder = open.get(place);
    const top = folder === undefined ? -1 : openPath(folder);
    // What does not exist is not granted either.
    if (top < 0) continue;
    const [whole, real] = [placeOf(top), placeOf(fd)];
    close(top);
    if (whole !== undefined && real !== undefined && isWithin(real, whole)) continue;
    const where = real === undefined ? "where /proc does not tell" : `to ${JSON.stringify(real)}`;
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot grant ${access.join(", ")} beneath "${path}": it leads ${where}, out of "${folder}", where these rules let links be made; if it should, name the real path`,
      { path },
    );
  }
}

/** Checks the same where a directory is to be made: by what is there of its path. */
export function refuseMakingOutside(rule: PathRule, open: Open): void {
  if (open.size === 0) return;
  let path = rule.path;
  let fd = openPath(path);
  while (fd < 0) {
    const parent = path.replace(/\/*[^/]*\/*$/, "");
    if (parent === "") return;
    fd = openPath((path = parent));
  }
  try {
    refuseOutside(rule, fd, open);
  } finally {
    close(fd);
  }
}

/** The directories in which a path looks for a name, as it is written; last is what it names. */
function placesOn(path: string): string[] {
  const places: string[] = [];
  // "" is the root.
  let place = "";
  for (const name of (path.startsWith("/") ? path : `${here()}/${path}`).split("/")) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      place = place.slice(0, Math.max(place.lastIndexOf("/"), 0));
    } else {
      places.push(place);
      place += `/${name}`;
    }
  }
  return [...places, place];
}

/** The current directory; if it is removed, nothing can be opened from there. */
function here(): string {
  try {
    return process.cwd();
  } catch {
    return "";
  }
}

/** The path of an open file, as far as /proc tells. */
function placeOf(fd: number): string | undefined {
  const link = openPath(`/proc/self/fd/${fd}`, O_NOFOLLOW);
  if (link < 0) return undefined;
  const place = readOpenLink(link);
  close(link);
  return place;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}
