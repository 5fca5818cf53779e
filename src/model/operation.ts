/** What a program asks the kernel for, as far as Landlock looks at it. Plain data. */
import type { FsRight, NetRight, Scope } from "../kernel/abi.ts";

/** What a file is: the types of inode(7), and the character device 0:0 of overlay file systems. */
export type FileType =
  "regular" | "directory" | "symlink" | "fifo" | "socket" | "char" | "block" | "whiteout";

/** open(2), and reading a directory, which is opening it for that. */
export interface Open {
  readonly kind: "open";
  readonly path: string;
  readonly read?: boolean;
  readonly write?: boolean;
  /** O_TRUNC. */
  readonly truncate?: boolean;
  /** O_CREAT: makes a regular file where there is none. */
  readonly create?: boolean;
  /** O_TMPFILE: a file without a name; `path` is the directory. */
  readonly unnamed?: boolean;
}

/** One operation on files. */
export type FileOperation =
  | Open
  /** execve(2) of a file: not of the interpreter and the libraries that it names. */
  | { readonly kind: "execute"; readonly path: string }
  /** mkdir(2), mknod(2), symlink(2); a socket is made by bind(2). */
  | { readonly kind: "make"; readonly path: string; readonly type: FileType }
  /** unlink(2), or rmdir(2) for a directory. */
  | { readonly kind: "remove"; readonly path: string; readonly directory: boolean }
  /** rename(2); `exchange`: RENAME_EXCHANGE of renameat2(2). */
  | {
      readonly kind: "rename";
      readonly path: string;
      readonly to: string;
      readonly exchange?: boolean;
    }
  /** link(2): `path` is the file there is. */
  | { readonly kind: "link"; readonly path: string; readonly to: string }
  /** truncate(2). */
  | { readonly kind: "truncate"; readonly path: string }
  /** ioctl(2) on a device that is opened inside the sandbox. */
  | { readonly kind: "ioctl"; readonly path: string }
  /** connect(2) or sendto(2) to a UNIX socket by path, of a server outside the sandbox. */
  | { readonly kind: "resolve_unix"; readonly path: string }
  /** Whether rights are granted on a path; those for directories concern what is in it. */
  | { readonly kind: "access"; readonly path: string; readonly access: readonly FsRight[] };

/** One operation on a port. */
export interface PortOperation {
  readonly kind: "port";
  readonly access: readonly NetRight[];
  /** 0 to 65535; 0 is one that the kernel picks. */
  readonly port: number;
  /** A UDP socket without a port that connects or sends: the kernel binds it, as `bind_udp` on 0. */
  readonly unbound?: boolean;
}

/** A signal or a connection to an abstract UNIX socket of a process outside the sandbox. */
interface ScopedOperation {
  readonly kind: "scope";
  readonly scope: Scope;
}

/** What Landlock is asked. */
export type Operation = FileOperation | PortOperation | ScopedOperation;
