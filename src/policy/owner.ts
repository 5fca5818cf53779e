/** Ensures that only root and the caller may have written a policy. */
import { ELOOP, ENOTDIR } from "../errors/errno.ts";
import { LandlockError } from "../errors/errors.ts";
import { namedWriters } from "../kernel/acl.ts";
import { idOf } from "../kernel/identity.ts";
import { close, openIn, openPath, readFile, statusOf, type Status } from "../kernel/syscalls.ts";
import {
  O_DIRECTORY,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_ISVTX,
  S_IWGRP,
  S_IWOTH,
} from "../kernel/uapi.ts";
import { walk } from "../kernel/walk.ts";

/** What to do about an untrusted policy that the user named. */
export const ownPolicy = "let it and its directories belong to root or to this user alone";

/**
 * Opens a policy for reading, unless another user may have written it. As with git's repositories,
 * the file and each directory and link on the way must belong to root or the caller. Nobody else
 * may be able to change them. It checks the open files, so nothing can be replaced afterwards.
 *
 * @param file Absolute path
 * @param fix What to do, for the message
 * @returns A descriptor, or -errno
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` naming the file, directory or link, and why
 */
export function openOwned(file: string, fix: string): number {
  const refuse = (place: string, why: string): never => {
    const message = `Cannot trust the policy ${JSON.stringify(file)}: ${JSON.stringify(place)} ${why}; ${fix}`;
    throw new LandlockError("ERR_LANDLOCK_PATH", message, { path: file });
  };
  const judged = (fd: number, place: string): number => {
    const status = fd < 0 ? fd : statusOf(fd);
    if (typeof status === "object") {
      const why = objection(status, fd);
      if (why === undefined) return fd;
      close(fd);
      return refuse(place, why);
    }
    if (fd >= 0) close(fd);
    return status;
  };
  const { fd } = walk(file, (folder, name, place, isLast) =>
    judged(openNext(folder, name, isLast), place),
  );
  if (fd < 0) return fd;
  let named = -1;
  try {
    // A link of /proc may lead elsewhere than its text says.
    named = judged(openPath(file), file);
    if (idOf(fd) !== idOf(named)) refuse(file, "leads elsewhere than its links say");
  } catch (error) {
    close(fd);
    throw error;
  } finally {
    if (named >= 0) close(named);
  }
  return fd;
}

/** Opens a directory entry without following a link. */
function openNext(folder: number, name: string, isLast: boolean): number {
  // Opening as a directory triggers automounts.
  const how = isLast ? O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
  const fd = openIn(folder, name, O_NOFOLLOW | how);
  return fd === -ELOOP || fd === -ENOTDIR ? openIn(folder, name, O_NOFOLLOW | O_PATH) : fd;
}

/** Whether an open file is a regular one, so that reading it can't wait. */
export function isRegular(fd: number): boolean {
  const status = statusOf(fd);
  return typeof status === "object" && (status.mode & S_IFMT) === S_IFREG;
}

/** Why another user could change an open file, or undefined. */
function objection({ uid, gid, mode }: Status, fd: number): string | undefined {
  if (isForeign(uid)) return `belongs to user ${uid}`;
  const type = mode & S_IFMT;
  const isDirectory = type === S_IFDIR;
  // Nothing is read from other files.
  if (type === S_IFLNK || (!isDirectory && type !== S_IFREG)) return undefined;
  // In a sticky directory, nobody can replace the files of other users.
  if (isDirectory && (mode & S_ISVTX) !== 0) return undefined;
  const writer = otherWriter(fd, { uid, gid, mode });
  if (writer === undefined) return undefined;
  return isDirectory ? `is a directory that ${writer} may change` : `can be written by ${writer}`;
}

/** Who else may write an open file besides its owner, or undefined. */
function otherWriter(fd: number, { uid, gid, mode }: Omit<Status, "id">): string | undefined {
  if ((mode & S_IWOTH) !== 0) return "everybody";
  if ((mode & S_IWGRP) === 0) return undefined;
  if (!isOwnGroup(gid, uid)) return `group ${gid}`;
  const named = namedWriters(fd);
  // Without /proc, the access control list can't be read.
  if (named === undefined) return `group ${gid}`;
  const other = named.find(({ kind, id }) =>
    kind === "user" ? isForeign(id) : !isOwnGroup(id, uid),
  );
  return other && `${other.kind} ${other.id}`;
}

/** Whether a user is neither root nor the caller. */
function isForeign(uid: number): boolean {
  return uid !== 0 && uid !== process.geteuid?.();
}

/**
 * Whether a group has a user's id and no other members, according to `/etc/group` and
 * `/etc/passwd`.
 */
function isOwnGroup(gid: number, uid: number): boolean {
  if (gid !== uid) return false;
  const users = entriesOf("/etc/passwd");
  const own = users.filter((user) => Number(user[2]) === uid).map(([name]) => name);
  if (users.some((user) => Number(user[3]) === gid && Number(user[2]) !== uid)) return false;
  return entriesOf("/etc/group")
    .filter((group) => Number(group[2]) === gid)
    .every(([, , , members = ""]) =>
      members.split(",").every((name) => name.trim() === "" || own.includes(name.trim())),
    );
}

/** The fields of each line in such a file; empty if it can't be read. */
function entriesOf(file: string): string[][] {
  const lines = new TextDecoder().decode(readFile(file) ?? new Uint8Array()).split("\n");
  return lines.map((line) => line.split(":")).filter((parts) => parts.length > 3);
}
