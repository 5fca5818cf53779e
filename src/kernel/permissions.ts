/** Judges the ordinary permissions of files. */
import { namedWriters } from "./acl.ts";
import { parentOf } from "./names.ts";
import { close, openPath, statusOf } from "./syscalls.ts";
import { S_IROTH, S_IWGRP, S_IWOTH, S_IXOTH } from "./uapi.ts";

/**
 * Whether everyone may read an open file, and only root could put it there. Granting it reveals
 * nothing.
 */
export function isForAll(opened: number, place: string): boolean {
  for (let at = place, needed = S_IROTH; ; at = parentOf(at), needed = S_IXOTH) {
    const fd = at === place ? opened : openPath(at);
    if (fd < 0) return false;
    const status = statusOf(fd);
    const named = namedWriters(fd);
    if (fd !== opened) close(fd);
    if (typeof status === "number" || status.uid !== 0 || named?.length !== 0) return false;
    const isShared = (status.mode & (status.gid === 0 ? S_IWOTH : S_IWOTH | S_IWGRP)) !== 0;
    if (isShared || (status.mode & needed) === 0) return false;
    if (at === "/") return true;
  }
}
