/** Follows a path name by name, and its links as they say, those of /proc included. */
import { inFolder, parentOf } from "./names.ts";
import { close, openIn, readOpenLink } from "./syscalls.ts";
import { AT_FDCWD, O_NOFOLLOW, O_PATH } from "./uapi.ts";

const ELOOP = -40;
/** As many as the kernel follows (`path_resolution(7)`). */
export const linksMax = 40;

/** Opens a name in a directory, or the link that it is: a descriptor, or a negative errno. */
type OpenNext = (folder: number, name: string, place: string, isLast: boolean) => number;

/** Where a path leads. */
export interface Way {
  /** What is there, for the caller to close, or the negative errno that ended the walk. */
  readonly fd: number;
  /** Its place, as far as it exists. There are no links in it. */
  readonly end: string;
  /** The names that are left where something does not exist. */
  readonly rest: readonly string[];
  /** The directories in which links were found, themselves without links. */
  readonly links: readonly string[];
}

const openAsPath: OpenNext = (folder, name) => openIn(folder, name, O_PATH | O_NOFOLLOW);

/**
 * Follows a path from the root on.
 *
 * @param path Absolute
 * @param open Opens the root and each next name; may throw
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
      fd = ELOOP;
      end = "/";
      if (links.length <= linksMax) fd = openRoot();
    }
  } catch (error) {
    if (fd >= 0) close(fd);
    throw error;
  }
  return { fd, end, rest: names.reverse(), links };
}

/** The names in a path, backwards: the next one is last. */
function namesIn(path: string): string[] {
  return path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .reverse();
}

/** A path as seen from the root; links, dots and superfluous slashes stay. */
export function wholePath(path: string): string {
  return path.startsWith("/") ? path : `${here()}/${path}`;
}

/** The current directory; if it is removed, nothing can be opened from there. */
function here(): string {
  try {
    return process.cwd();
  } catch {
    return "";
  }
}
