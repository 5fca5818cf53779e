/** A policy must be the operator's: nobody but root and the caller may have written it. */
import { LandlockError } from "../errors/errors.ts";
import { idOf } from "../kernel/identity.ts";
import {
  close,
  openIn,
  openPath,
  readOpenLink,
  statusOf,
  type Status,
} from "../kernel/syscalls.ts";
import { O_DIRECTORY, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH } from "../kernel/uapi.ts";
import { isOwnGroup } from "./group.ts";
import { folderOf } from "./paths.ts";

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const S_IFREG = 0o100000;
const S_ISVTX = 0o1000;
const S_IWGRP = 0o020;
const S_IWOTH = 0o002;
const ENOTDIR = -20;
const ELOOP = -40;
/** As many as the kernel follows. */
const linksMax = 40;

/** What to do about a policy that was named. */
export const ownPolicy = "let it and its directories belong to root or to this user alone";

/** Opens something, judges it, and returns its descriptor, or a negative errno. */
type Open = (fd: number, place: string) => number;

/**
 * Opens a policy for reading, unless a stranger may have put it there, as git does with a
 * repository: it, and each directory and link on the way, must belong to root or the caller, and
 * nobody else may change it. What is judged is what is open, so nothing can be replaced afterwards.
 *
 * @param file Absolute
 * @param fix What to do, for the message
 * @returns A descriptor, or a negative errno
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` naming the file, directory or link, and why
 */
export function openOwned(file: string, fix: string): number {
  const opened: number[] = [];
  let kept = -1;
  const refuse = (place: string, why: string): never => {
    const message = `Cannot trust the policy ${JSON.stringify(file)}: ${JSON.stringify(place)} ${why}; ${fix}`;
    throw new LandlockError("ERR_LANDLOCK_PATH", message, { path: file });
  };
  const judged: Open = (fd, place) => {
    if (fd < 0) return fd;
    opened.push(fd);
    const status = statusOf(fd);
    if (typeof status === "number") return status;
    const why = objection(status);
    return why === undefined ? fd : refuse(place, why);
  };
  try {
    const fd = walk(file, judged);
    // What a link of /proc says is not always where it leads.
    if (fd >= 0 && idOf(fd) !== idOf(judged(openPath(file), file))) {
      refuse(file, "is not where its links say");
    }
    return (kept = fd);
  } finally {
    for (const fd of opened) if (fd !== kept) close(fd);
  }
}

/** Follows a path from directory to directory, and its links as they say. */
function walk(file: string, judged: Open): number {
  const root = judged(openPath("/"), "/");
  let [fd, folder] = [root, "/"];
  // The next one is last.
  const names = namesIn(file);
  let links = 0;
  while (names.length > 0 && fd >= 0) {
    const name = names.pop()!;
    const place = name === ".." ? folderOf(folder) : `${folder === "/" ? "" : folder}/${name}`;
    const found = judged(openNext(fd, name, names.length === 0), place);
    const target = found < 0 ? undefined : readOpenLink(found);
    if (target === undefined) {
      [fd, folder] = [found, place];
      continue;
    }
    if (++links > linksMax) return ELOOP;
    names.push(...namesIn(target));
    if (target.startsWith("/")) [fd, folder] = [root, "/"];
  }
  return fd;
}

/** The names in a path, backwards. */
function namesIn(path: string): string[] {
  return path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .reverse();
}

/** Opens a name, or the link that it is. */
function openNext(folder: number, name: string, isLast: boolean): number {
  // As a directory at first: that mounts what is mounted on demand.
  const how = isLast ? O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
  const fd = openIn(folder, name, O_NOFOLLOW | how);
  return fd === ELOOP || fd === ENOTDIR ? openIn(folder, name, O_NOFOLLOW | O_PATH) : fd;
}

/** Whether an open file is one that is read to its end without waiting. */
export function isRegular(fd: number): boolean {
  const status = statusOf(fd);
  return typeof status === "object" && (status.mode & S_IFMT) === S_IFREG;
}

/** Why somebody else decides what is there, or nothing. */
function objection({ uid, gid, mode }: Status): string | undefined {
  if (uid !== 0 && uid !== process.geteuid?.()) return `belongs to user ${uid}`;
  const type = mode & S_IFMT;
  if (type === S_IFLNK) return undefined;
  const shared = (mode & S_IWGRP) !== 0 && !isOwnGroup(gid, uid);
  if (type === S_IFDIR) {
    // Where the sticky bit is set, nobody replaces what belongs to others.
    if ((mode & S_ISVTX) !== 0) return undefined;
    if ((mode & S_IWOTH) !== 0) return "is a directory that everybody may change";
    return shared ? `is a directory that group ${gid} may change` : undefined;
  }
  if (type !== S_IFREG) return undefined; // nothing is read from it
  if ((mode & S_IWOTH) !== 0) return "can be written by everybody";
  return shared ? `can be written by group ${gid}` : undefined;
}
