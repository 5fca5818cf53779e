/** The operations that Landlock checks, as plain data. */
import type { FsRight, NetRight, Scope } from "../kernel/abi.ts";

/** The file types of inode(7), and the character device 0:0 that overlay file systems use. */
export type FileType =
  "regular" | "directory" | "symlink" | "fifo" | "socket" | "char" | "block" | "whiteout";

/** open(2). Reading a directory counts as opening it. */
export interface Open {
  readonly kind: "open";
  readonly path: string;
  readonly read?: boolean;
  readonly write?: boolean;
  /** O_TRUNC. */
  readonly truncate?: boolean;
  /** O_CREAT: makes a regular file if none exists. */
  readonly create?: boolean;
  /** O_TMPFILE: a file without a name, where `path` is its directory. */
  readonly unnamed?: boolean;
}

/** One operation on files. */
export type FileOperation =
  | Open
  /** execve(2) of a file, not of its interpreter and libraries. */
  | { readonly kind: "execute"; readonly path: string }
  /** mkdir(2), mknod(2) or symlink(2). bind(2) makes a socket. */
  | { readonly kind: "make"; readonly path: string; readonly type: FileType }
  /** unlink(2), or rmdir(2) for a directory. */
  | { readonly kind: "remove"; readonly path: string; readonly directory: boolean }
  /** rename(2). `exchange` is RENAME_EXCHANGE of renameat2(2). */
  | {
      readonly kind: "rename";
      readonly path: string;
      readonly to: string;
      readonly exchange?: boolean;
    }
  /** link(2). `path` is the existing file. */
  | { readonly kind: "link"; readonly path: string; readonly to: string }
  /** truncate(2). */
  | { readonly kind: "truncate"; readonly path: string }
  /** ioctl(2) on a device that was opened inside the sandbox. */
  | { readonly kind: "ioctl"; readonly path: string }
  /** connect(2) or sendto(2) to a UNIX socket by path if its server is outside the sandbox. */
  | { readonly kind: "resolve_unix"; readonly path: string }
  /** Whether rights are granted on a path. Directory rights concern its entries. */
  | { readonly kind: "access"; readonly path: string; readonly access: readonly FsRight[] };

/** One operation on a port. */
export interface PortOperation {
  readonly kind: "port";
  readonly access: readonly NetRight[];
  /** 0 to 65535. With 0 the kernel picks a port. */
  readonly port: number;
  /**
   * A UDP socket without a port connects or sends. The kernel then binds it, which needs `bind_udp`
   * on 0.
   */
  readonly unbound?: boolean;
}

/** A signal to a process outside the sandbox, or a connection to its abstract UNIX socket. */
interface ScopedOperation {
  readonly kind: "scope";
  readonly scope: Scope;
}

/** Any operation that Landlock checks. */
export type Operation = FileOperation | PortOperation | ScopedOperation;
