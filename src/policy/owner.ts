/** A policy must be the operator's: nobody but root and the caller may have written it. */
import { LandlockError } from "../errors.ts";
import { close, openPath, ownership, readLink } from "../kernel/syscalls.ts";
import { folderOf, fromHere } from "./paths.ts";

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const S_ISVTX = 0o1000;
const S_IWGRP = 0o020;
const S_IWOTH = 0o002;

/** What to do about a policy that was named. */
export const ownPolicy = "let it and its directories belong to root or to this user alone";

/**
 * Refuses a policy that a stranger may have put there, as git does with a repository: one that
 * belongs to another user, lies beneath a directory of one, or can be changed by one.
 *
 * @param path Absolute, or relative to the current directory; nothing there is not refused
 * @param fix What to do, for the message
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` naming the file or directory, and why
 */
export function requireOwned(path: string, fix: string): void {
  if (process.platform !== "linux") return;
  const file = fromHere(path);
  const refuse = (place: string, why: string) => {
    const message = `Cannot trust the policy ${JSON.stringify(file)}: ${JSON.stringify(place)} ${why}; ${fix}`;
    throw new LandlockError("ERR_LANDLOCK_PATH", message, { path: file });
  };
  // By the links in it, and by where they lead.
  for (const start of new Set([file, targetOf(file)])) {
    for (let place = start; ; place = folderOf(place)) {
      const why = objection(place);
      if (why !== undefined) refuse(place, why);
      if (place === "/") break;
    }
  }
}

function targetOf(path: string): string {
  const fd = openPath(path);
  if (fd < 0) return path;
  const target = readLink(`/proc/self/fd/${fd}`);
  close(fd);
  return target ?? path;
}

/** Why somebody else decides what is there, or nothing. */
function objection(place: string): string | undefined {
  const found = ownership(place);
  if (typeof found === "number") return undefined;
  const { uid, gid, mode } = found;
  if (uid !== 0 && uid !== process.geteuid?.()) return `belongs to user ${uid}`;
  const type = mode & S_IFMT;
  if (type === S_IFLNK) return undefined;
  if (type === S_IFDIR) {
    const open = (mode & S_IWOTH) !== 0 && (mode & S_ISVTX) === 0;
    return open ? "is a directory that everybody may change" : undefined;
  }
  if ((mode & S_IWOTH) !== 0) return "can be written by everybody";
  // A group of the owner's own number is one that each user has alone.
  const shared = (mode & S_IWGRP) !== 0 && gid !== uid;
  return shared ? `can be written by group ${gid}` : undefined;
}
