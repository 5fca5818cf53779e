/** Follows a path name by name. It follows the links of /proc by their text too. */
import { ELOOP } from "../errors/errno.ts";
import { inFolder, parentOf } from "./names.ts";
import { close, openIn, readOpenLink } from "./syscalls.ts";
import { AT_FDCWD, O_NOFOLLOW, O_PATH } from "./uapi.ts";

/** The kernel's own limit (`path_resolution(7)`). */
export const linksMax = 40;

/**
 * Opens an entry of a directory without following a link. Returns a descriptor or -errno.
 */
type OpenNext = (folder: number, name: string, place: string, isLast: boolean) => number;

/** Where a path leads. */
export interface Way {
  /** The open file, which the caller must close, or the -errno that ended the walk. */
  readonly fd: number;
  /** The path of the last file that exists, without links. */
  readonly end: string;
  /** The remaining names if something doesn't exist. */
  readonly rest: readonly string[];
  /** The directories in which links were found, as paths without links. */
  readonly links: readonly string[];
}

const openAsPath: OpenNext = (folder, name) => openIn(folder, name, O_PATH | O_NOFOLLOW);

/**
 * Follows a path from the root.
 *
 * @param path An absolute path
 * @param open Opens the root and each further name; may throw
 */
export function walk(path: string, open = openAsPath): Way {
  const openRoot = () => open(AT_FDCWD, "/", "/", false);
  const links: string[] = [];
  const names = namesIn(path);
  let end = "/";
  let fd = openRoot();
  try {
    while (names.length > 0 && fd >= 0) {
      const name = names.at(-1)!;
      const place = name === ".." ? parentOf(end) : inFolder(end, name);
      const found = open(fd, name, place, names.length === 1);
      const target = found < 0 ? undefined : readOpenLink(found);
      if (target === undefined) {
        close(fd);
        fd = found;
        if (found < 0) break;
        end = place;
        names.pop();
        continue;
      }
      close(found);
      links.push(end);
      names.splice(-1, 1, ...namesIn(target));
      if (links.length <= linksMax && !target.startsWith("/")) continue;
      close(fd);
      fd = -ELOOP;
      end = "/";
      if (links.length <= linksMax) fd = openRoot();
    }
  } catch (error) {
    if (fd >= 0) close(fd);
    throw error;
  }
  return { fd, end, rest: names.reverse(), links };
}

/** The names in a path in reverse order, so that the next one can be popped. */
function namesIn(path: string): string[] {
  return path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .reverse();
}

/** Makes a path absolute. Links, dots and repeated slashes stay. */
export function wholePath(path: string): string {
  return path.startsWith("/") ? path : `${here()}/${path}`;
}

/** The current directory, or an empty string if it was removed. */
function here(): string {
  try {
    return process.cwd();
  } catch {
    return "";
  }
}

/** Only the path itself, without a slash at its end: nobody is asked where it leads. */
export function asWritten(path: string): string[] {
  return [path.replace(/\/+$/, "") || "/"];
}

/**
 * What decides where a path leads: first its place without links, where it need not exist, as a
 * rule may be for what is made later; then the directories of the links on the way.
 */
export function placesOf(path: string): string[] {
  if (process.platform !== "linux") return asWritten(path);
  const { fd, end, rest, links } = walk(wholePath(path));
  if (fd >= 0) close(fd);
  return [[end === "/" && rest.length > 0 ? "" : end, ...rest].join("/"), ...links];
}
