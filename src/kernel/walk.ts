/** Follows a path name by name. It follows the links of /proc by their text too. */
import { ELOOP, ENOTDIR, ESTALE } from "../errors/errno.ts";
import { inFolder, parentOf } from "./names.ts";
import { close, openIn, readLink, readOpenLink } from "./syscalls.ts";
import { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_PATH } from "./uapi.ts";

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
  /** Whether the name that doesn't exist comes from a link. */
  readonly isDangling: boolean;
  /** The directories in which links were found, as paths without links. */
  readonly links: readonly string[];
}

/** Opens any entry. Opening it as a directory first triggers automounts. */
export function openEntry(folder: number, name: string): number {
  const fd = openIn(folder, name, O_PATH | O_NOFOLLOW | O_DIRECTORY);
  return fd === -ELOOP || fd === -ENOTDIR ? openIn(folder, name, O_PATH | O_NOFOLLOW) : fd;
}

/**
 * Follows a path from the root. It opens each name in the directory that it opened before. So `fd`
 * is the file that `links` and `end` describe, even if names are replaced meanwhile.
 *
 * @param path An absolute path
 * @param open Opens the root and each further name; may throw
 */
export function walk(path: string, open: OpenNext = openEntry): Way {
  const openRoot = () => open(AT_FDCWD, "/", "/", false);
  const links: string[] = [];
  const names = namesIn(path);
  // The number of remaining names from the path itself. Names from links come before them.
  let own = names.length;
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
        // If the directory was moved since it was opened, this is another parent.
        if (name === ".." && (placeOf(fd) ?? place) !== place) {
          close(fd);
          fd = -ESTALE;
          break;
        }
        end = place;
        names.pop();
        own = Math.min(own, names.length);
        continue;
      }
      close(found);
      links.push(end);
      names.pop();
      own = Math.min(own, names.length);
      names.push(...namesIn(target));
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
  return { fd, end, rest: names.reverse(), isDangling: names.length > own, links };
}

/** The path of an open file, or undefined if it has none or /proc can't be read. */
export function placeOf(fd: number): string | undefined {
  const place = readLink(`/proc/self/fd/${fd}`);
  return place?.startsWith("/") ? place : undefined;
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

/** The path itself, without a slash at its end. It doesn't check where the path leads. */
export function asWritten(path: string): string[] {
  return [path.replace(/\/+$/, "") || "/"];
}

/**
 * The places that decide where a path leads. The first is its end without links, which need not
 * exist, because a rule may be for a later file. The others are the directories of the links on the
 * way.
 */
export function placesOf(path: string): string[] {
  if (process.platform !== "linux") return asWritten(path);
  const { fd, end, rest, links } = walk(wholePath(path));
  if (fd >= 0) close(fd);
  return [[end === "/" && rest.length > 0 ? "" : end, ...rest].join("/"), ...links];
}
