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
import { isWithin, parentOf } from "../kernel/names.ts";
import { close, openPath, readLink, statusOf } from "../kernel/syscalls.ts";
import { walk, wholePath, type Way } from "../kernel/walk.ts";
import type { PathRule } from "./plan.ts";

/** Rights that let a link appear at a path, directly or by renaming its directory. */
export const swapping: readonly FsRight[] = ["remove_dir", "make_sym", "refer"];

/** A directory that the rules let be changed. */
interface Folder {
  readonly path: string;
  /** Its origins and those of mounts in it, from `Mounts`. */
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
   * Checks where the path of a rule leads, before the rule is added.
   *
   * @param fd The open file at that path
   * @throws {LandlockError} `ERR_LANDLOCK_PATH` if a link in a writable directory leads out of it;
   *   only a preset's rule may lead to a system file that everyone may read
   */
  refuseOutside(rule: PathRule, fd: number): void {
    const place = readLink(`/proc/self/fd/${fd}`);
    if (place !== undefined && place === written(rule.path)) return;
    const way = follow(rule.path, fd);
    this.#refuse(rule, way, place?.startsWith("/") ? place : way.end);
  }

  /** Makes the same check for a directory to be made, from the part of its path that exists. */
  refuseMakingOutside(rule: PathRule): void {
    const way = follow(rule.path);
    this.#refuse(rule, way, way.end);
  }

  #refuse(rule: PathRule, { links, isSure }: Followed, place: string): void {
    if (links.length === 0) return;
    const mounts = (this.#mounts ??= new Mounts());
    const folders = (this.#folders ??= [...this.#paths].map((path) => ({
      path,
      origins: mounts.originsBeneath(follow(path).end),
    })));
    const end = mounts.originOf(place);
    const starts = links.map((link) => mounts.originOf(link));
    for (const { path, origins } of folders) {
      const has = (origin: string) => origins.some((one) => isWithin(origin, one));
      if (has(end) || (isSure && !starts.some(has))) continue;
      if (rule.identity !== undefined && isForAll(place)) continue;
      throw new LandlockError(
        "ERR_LANDLOCK_PATH",
        `Cannot grant ${rule.access.join(", ")} beneath "${rule.path}": it leads to ${JSON.stringify(place)}, out of "${path}", where these rules let links be made; if it should, name the real path`,
        { path: rule.path },
      );
    }
  }
}

interface Followed extends Way {
  /** Whether the walk saw all links. */
  readonly isSure: boolean;
}

/** @param fd The open file at the path, if known */
function follow(path: string, fd?: number): Followed {
  const way = walk(wholePath(path));
  // A link of /proc may lead elsewhere than its text says. Names that aren't UTF-8 can't be opened
  // here.
  const isOther = way.fd >= 0 && fd !== undefined && idOf(way.fd) !== idOf(fd);
  if (way.fd >= 0) close(way.fd);
  return { ...way, isSure: !isOther && way.fd !== -EILSEQ };
}

const S_IWGRP = 0o020;
const S_IWOTH = 0o002;
const S_IROTH = 0o004;
const S_IXOTH = 0o001;

/** Whether everyone may read a file that only root could put there. Granting it reveals nothing. */
function isForAll(place: string): boolean {
  for (let at = place, needed = S_IROTH; ; at = parentOf(at), needed = S_IXOTH) {
    const fd = openPath(at);
    if (fd < 0) return false;
    const status = statusOf(fd);
    close(fd);
    if (typeof status === "number" || status.uid !== 0) return false;
    const isShared = (status.mode & (status.gid === 0 ? S_IWOTH : S_IWOTH | S_IWGRP)) !== 0;
    if (isShared || (status.mode & needed) === 0) return false;
    if (at === "/") return true;
  }
}

/** The whole path without repeated slashes and dots. With ".." it never equals a real place. */
function written(path: string): string {
  const names = wholePath(path).split("/");
  return `/${names.filter((name) => name !== "" && name !== ".").join("/")}`;
}
