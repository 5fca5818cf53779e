/**
 * Checks where the paths of rules lead through links. One run may replace a writable path by a
 * link, which must not decide what the next run is granted. So a path may lead elsewhere inside a
 * writable directory, but not out of it.
 */
import { EILSEQ } from "../errors/errno.ts";
import { LandlockError } from "../errors/errors.ts";
import type { FsRight } from "../kernel/abi.ts";
import { idOf } from "../kernel/identity.ts";
import { Mounts } from "../kernel/mounts.ts";
import { isWithin } from "../kernel/names.ts";
import { isForAll } from "../kernel/permissions.ts";
import { close, openPath, openPathWithoutLinks } from "../kernel/syscalls.ts";
import { placeOf, walk, wholePath, type Way } from "../kernel/walk.ts";
import { isMissing } from "./failures.ts";
import type { PathRule } from "./plan.ts";

/** Rights that let a link appear at a path, directly or by renaming its directory. */
export const swapping: readonly FsRight[] = ["remove_dir", "make_sym", "refer"];

/** A directory that the rules let be changed. */
interface Folder {
  readonly path: string;
  /** The places of this directory and of the mounts in it, from `Mounts`. */
  readonly origins: readonly string[];
}

/** Checks where the paths of rules lead. */
export class LinkGuard {
  readonly #paths: ReadonlySet<string>;
  #mounts: Mounts | undefined;
  #folders: readonly Folder[] | undefined;

  /** @param paths The paths in which the rules allow making links */
  constructor(paths: ReadonlySet<string>) {
    this.#paths = paths;
  }

  /**
   * Opens the path of a rule. The descriptor refers to the file that was checked, even if somebody
   * replaces names at the same time.
   *
   * @param flags 0 or `O_DIRECTORY`
   * @returns A descriptor, or -errno
   * @throws {LandlockError} `ERR_LANDLOCK_PATH` if a link in a writable directory leads out of it.
   *   Only a preset's rule may lead to a system file that everyone may read
   */
  open(rule: PathRule, flags: number): number {
    // Only a walk notices if somebody moves the directory before "..".
    if (!/(^|\/)\.\.(\/|$)/.test(rule.path)) {
      const fd = openPathWithoutLinks(rule.path, flags);
      if (fd >= 0 || isMissing(-fd)) return fd;
    }
    const way = walk(wholePath(rule.path));
    // A link of /proc may lead elsewhere than its text says. Names that aren't UTF-8 can't be
    // followed.
    if (way.fd < 0 && !isMissing(-way.fd) && way.fd !== -EILSEQ) return way.fd;
    const fd = openPath(rule.path, flags);
    // The file may have been replaced, and a link of /proc may lead elsewhere than its text says.
    const isSure = fd >= 0 && way.fd >= 0 && idOf(fd) === idOf(way.fd);
    if (way.fd >= 0) close(way.fd);
    if (fd < 0) return fd;
    try {
      this.#refuse(rule, way, fd, isSure);
      return fd;
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  /**
   * Makes the same check for a directory to be made.
   *
   * @param way The existing part of its path
   * @param fd The last existing directory
   */
  refuseMakingOutside(rule: PathRule, way: FoundLinks, fd: number): void {
    this.#refuse(rule, way, fd, true);
  }

  /** @param isSure Whether the links really lead to the open file */
  #refuse(rule: PathRule, { links, end: written }: FoundLinks, fd: number, isSure: boolean): void {
    if (isSure && links.length === 0) return;
    const place = placeOf(fd) ?? written;
    const mounts = (this.#mounts ??= new Mounts());
    const folders = (this.#folders ??= [...this.#paths].map((path) => ({
      path,
      origins: mounts.originsBeneath(endOf(path)),
    })));
    const end = mounts.originOf(place);
    const starts = links.map((link) => mounts.originOf(link));
    for (const { path, origins } of folders) {
      const has = (origin: string) => origins.some((one) => isWithin(origin, one));
      if (has(end) || (isSure && !starts.some(has))) continue;
      if (rule.identity !== undefined && isForAll(fd, place)) continue;
      throw new LandlockError(
        "ERR_LANDLOCK_PATH",
        `Cannot grant ${rule.access.join(", ")} beneath "${rule.path}": it leads to ${JSON.stringify(place)}, out of "${path}", where these rules let links be made; if it should, name the real path`,
        { path: rule.path },
      );
    }
  }
}

type FoundLinks = Pick<Way, "links" | "end">;

/** Where a path leads, as a path without links. */
function endOf(path: string): string {
  const { fd, end } = walk(wholePath(path));
  if (fd >= 0) close(fd);
  return end;
}
