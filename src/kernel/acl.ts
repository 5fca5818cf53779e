/** Reads access control lists: who may change a file besides its owner and its group, `acl(5)`. */
import { ptr } from "bun:ffi";
import { ENODATA, EOPNOTSUPP } from "../errors/errno.ts";
import { bytesOf } from "./names.ts";
import { syscall } from "./syscalls.ts";
import { NR } from "./uapi.ts";

const ACL_USER = 0x02;
const ACL_GROUP = 0x08;
const ACL_MASK = 0x10;
const ACL_WRITE = 0x02;
const headerBytes = 4;
const entryBytes = 8;

/** A user or a group that a list names. */
interface Named {
  readonly kind: "user" | "group";
  readonly id: number;
}

/**
 * The users and groups that a list lets write an open file.
 *
 * @returns Undefined if the list can't be read. It's empty if there is none, or if the file system
 *   has no such lists
 */
export function namedWriters(fd: number): readonly Named[] | undefined {
  // The largest attribute that the kernel allows. By this path, a descriptor with O_PATH works too.
  const list = new DataView(new ArrayBuffer(65_536));
  const path = bytesOf(`/proc/self/fd/${fd}\0`);
  const name = bytesOf("system.posix_acl_access\0");
  const length = syscall(NR.getxattr, ptr(path), ptr(name), ptr(list), list.byteLength);
  if (length === -ENODATA || length === -EOPNOTSUPP) return [];
  if (length < 0) return undefined;
  const named: Named[] = [];
  for (let at = headerBytes; at + entryBytes <= length; at += entryBytes) {
    const tag = list.getUint16(at, true);
    const mayWrite = (list.getUint16(at + 2, true) & ACL_WRITE) !== 0;
    // The mask limits all other entries.
    if (tag === ACL_MASK && !mayWrite) return [];
    const kind = tag === ACL_USER ? "user" : tag === ACL_GROUP ? "group" : undefined;
    if (kind && mayWrite) named.push({ kind, id: list.getUint32(at + 4, true) });
  }
  return named;
}
