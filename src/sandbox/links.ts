/**
 * What one run may replace by a link must not decide what the next run is granted: the path of a
 * rule may lead to other places beneath a directory that the rules let be changed, but not out of it.
 */
import { LandlockError } from "../errors/errors.ts";
import type { FsRight } from "../kernel/abi.ts";
import { close, openPath, readLink, readOpenLink } from "../kernel/syscalls.ts";
import { O_NOFOLLOW } from "../kernel/uapi.ts";
import type { PathRule, PortRule } from "./plan.ts";

/** Rights with which a link comes to a place, by itself or in a directory that is renamed. */
const swapping: readonly FsRight[] = ["remove_dir", "make_sym", "refer"];

/** The directories that rules let be changed, as they are written. */
export type Open = readonly string[];

/** Those of these rules. */
export function openTo(rules: readonly (PathRule | PortRule)[]): Open {
  const open = new Set<string>();
  for (const rule of rules) {
    if ("port" in rule || !rule.access.some((right) => swapping.includes(right))) continue;
    open.add(rule.path);
  }
  return [...open];
}

/**
 * Checks where the path of a rule leads, before the rule is added.
 *
 * @param fd What is open at that path
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if a link that lies in a directory which the rules let
 *   be changed leads out of it
 */
export function refuseOutside(rule: PathRule, fd: number, open: Open): void {
  // A preset looked at it, and the plan names it under `rewritable`.
  if (open.length === 0 || rule.identity !== undefined) return;
  const place = placeOf(fd);
  // Most paths have no link in them, and are not walked.
  if (place !== undefined && place === written(rule.path)) return;
  const { links, end } = walk(rule.path);
  refuseLinks(rule, links, place?.startsWith("/") ? place : end, open);
}

/** Checks the same where a directory is to be made: by what is there of its path. */
export function refuseMakingOutside(rule: PathRule, open: Open): void {
  if (open.length === 0) return;
  const { links, end } = walk(rule.path);
  refuseLinks(rule, links, end, open);
}

function refuseLinks(
  { path, access }: PathRule,
  links: readonly string[],
  place: string,
  open: Open,
): void {
  if (links.length === 0) return;
  for (const folder of open) {
    const top = walk(folder).end;
    if (isWithin(place, top) || !links.some((link) => isWithin(link, top))) continue;
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot grant ${access.join(", ")} beneath "${path}": it leads to ${JSON.stringify(place)}, out of "${folder}", where these rules let links be made; if it should, name the real path`,
      { path },
    );
  }
}

/** As many links as the kernel follows (`path_resolution(7)`). */
const linksMax = 40;

/**
 * Follows a path name by name, magic links of /proc included.
 *
 * @returns The directories in which links were found, and where the path ends as far as it exists;
 *   neither has links in it
 */
function walk(path: string): { readonly links: string[]; readonly end: string } {
  const names = whole(path).split("/");
  const links: string[] = [];
  // "" is the root.
  let end = "";
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      end = end.slice(0, Math.max(end.lastIndexOf("/"), 0));
      continue;
    }
    const fd = openPath(`${end}/${name}`, O_NOFOLLOW);
    if (fd < 0) break;
    const target = readOpenLink(fd);
    close(fd);
    if (target === undefined) {
      end += `/${name}`;
      continue;
    }
    links.push(end || "/");
    if (links.length > linksMax) break;
    if (target.startsWith("/")) end = "";
    names.unshift(...target.split("/"));
  }
  return { links, end: end || "/" };
}

function whole(path: string): string {
  return path.startsWith("/") ? path : `${here()}/${path}`;
}

/** The whole path without superfluous slashes and dots; with ".." it is nobody's place. */
function written(path: string): string {
  const names = whole(path).split("/");
  return `/${names.filter((name) => name !== "" && name !== ".").join("/")}`;
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
  return readLink(`/proc/self/fd/${fd}`);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}
