/** Groups: whether one is a user's own, so that its rights are the user's. */
import { readFile } from "../kernel/syscalls.ts";

/**
 * Whether a group has the number of a user, and nobody else in it, as far as `/etc/group` and
 * `/etc/passwd` tell.
 */
export function isOwnGroup(gid: number, uid: number): boolean {
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

/** The lines of such a file by their parts; none if it cannot be read. */
function entriesOf(file: string): string[][] {
  const lines = new TextDecoder().decode(readFile(file) ?? new Uint8Array()).split("\n");
  return lines.map((line) => line.split(":")).filter((parts) => parts.length > 3);
}
