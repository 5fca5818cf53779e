/** Turns a system call on files into the operations that Landlock checks. */
import type { FileOperation, FileType, Open } from "../model/operation.ts";
import { parentOf } from "../kernel/names.ts";
import { fieldOf, flagsOf, openOn, pathAt, type Here } from "./arguments.ts";
import type { Call } from "./line.ts";
import type { Target, Value } from "./value.ts";

type Reader = (call: Call, here: Here) => FileOperation | undefined;

/** Reads the arguments of each call. `AT_FDCWD` and directories come before their path. */
const readers: Readonly<Record<string, Reader>> = {
  open: (call, here) => open(pathAt(call, 0, here), flagsOf(call.args[1])),
  creat: (call, here) => open(pathAt(call, 0, here), ["O_WRONLY", "O_CREAT", "O_TRUNC"]),
  openat: (call, here) => open(pathAt(call, 1, here, 0), flagsOf(call.args[2])),
  openat2: (call, here) => open(pathAt(call, 1, here, 0), flagsOf(fieldOf(call.args[2], "flags"))),
  open_by_handle_at: openByHandle,
  execve: (call, here) => onPath("execute", pathAt(call, 0, here)),
  execveat: (call, here) => onPath("execute", pathAt(call, 1, here, 0)),
  truncate: (call, here) => onPath("truncate", pathAt(call, 0, here)),
  mkdir: (call, here) => make(nameAt(call, 0, here), "directory"),
  mkdirat: (call, here) => make(nameAt(call, 1, here, 0), "directory"),
  mknod: (call, here) => make(nameAt(call, 0, here), typeOf(call.args[1], call.args[2])),
  mknodat: (call, here) => make(nameAt(call, 1, here, 0), typeOf(call.args[2], call.args[3])),
  symlink: (call, here) => make(nameAt(call, 1, here), "symlink"),
  symlinkat: (call, here) => make(nameAt(call, 2, here, 1), "symlink"),
  unlink: (call, here) => remove(nameAt(call, 0, here), false),
  rmdir: (call, here) => remove(nameAt(call, 0, here), true),
  unlinkat: (call, here) =>
    remove(nameAt(call, 1, here, 0), flagsOf(call.args[2]).includes("AT_REMOVEDIR")),
  link: (call, here) => both("link", nameAt(call, 0, here), nameAt(call, 1, here)),
  linkat: (call, here) => {
    const follow = flagsOf(call.args[4]).includes("AT_SYMLINK_FOLLOW");
    return both("link", pathAt(call, 1, here, 0, follow), nameAt(call, 3, here, 2));
  },
  rename: (call, here) => both("rename", nameAt(call, 0, here), nameAt(call, 1, here)),
  renameat: (call, here) => both("rename", nameAt(call, 1, here, 0), nameAt(call, 3, here, 2)),
  renameat2: (call, here) =>
    both(
      "rename",
      nameAt(call, 1, here, 0),
      nameAt(call, 3, here, 2),
      flagsOf(call.args[4]).includes("RENAME_EXCHANGE"),
    ),
  ioctl,
};

/** The calls on files that Landlock checks. Not every CPU has all of them. */
export const fileCalls: readonly string[] = Object.keys(readers);

/**
 * The file operation of a call, if it is one.
 *
 * @param here What its paths are relative to
 */
export function fileOperation(call: Call, here: Here): FileOperation | undefined {
  const operation = Object.hasOwn(readers, call.name) ? readers[call.name]!(call, here) : undefined;
  return operation?.kind === "open" && here.isDeleted ? onDeleted(operation) : operation;
}

/** A handle isn't a path, so only a successful call reveals the file. */
function openByHandle({ args, result, errno }: Call, here: Here): FileOperation | undefined {
  if (errno === "EACCES") here.isLost = true;
  return open(openOn(result), flagsOf(args[2]));
}

/** For a deleted file, Landlock checks the directories that it was in. */
function onDeleted({ path, read, write, truncate }: Open): FileOperation {
  return {
    kind: "access",
    path: parentOf(path),
    access: [
      ...(read ? ["read_file" as const] : []),
      ...(write ? ["write_file" as const] : []),
      ...(truncate ? ["truncate" as const] : []),
    ],
  };
}

/** The path of a directory entry. A symbolic link at its end isn't followed. */
function nameAt(call: Call, at: number, here: Here, directory?: number): string | undefined {
  return pathAt(call, at, here, directory, false);
}

function open(path: string | undefined, flags: readonly string[]): FileOperation | undefined {
  // O_PATH refers to a file without opening it.
  if (path === undefined || flags.includes("O_PATH")) return undefined;
  const both = flags.includes("O_RDWR");
  const write = both || flags.includes("O_WRONLY");
  return {
    kind: "open",
    path,
    ...(both || !write ? { read: true } : {}),
    ...(write ? { write: true } : {}),
    ...(flags.includes("O_TRUNC") ? { truncate: true } : {}),
    ...(flags.includes("O_CREAT") ? { create: true } : {}),
    ...(flags.includes("O_TMPFILE") ? { unnamed: true } : {}),
  };
}

function onPath(kind: "execute" | "truncate", path: string | undefined): FileOperation | undefined {
  return path === undefined ? undefined : { kind, path };
}

function make(path: string | undefined, type: FileType): FileOperation | undefined {
  return path === undefined ? undefined : { kind: "make", path, type };
}

function remove(path: string | undefined, directory: boolean): FileOperation | undefined {
  return path === undefined ? undefined : { kind: "remove", path, directory };
}

function both(
  kind: "link" | "rename",
  path: string | undefined,
  to: string | undefined,
  exchange = false,
): FileOperation | undefined {
  if (path === undefined || to === undefined) return undefined;
  return kind === "link" || !exchange ? { kind, path, to } : { kind, path, to, exchange };
}

function typeOf(mode: Value | undefined, device: Value | undefined): FileType {
  const types: Readonly<Record<string, FileType>> = {
    S_IFIFO: "fifo",
    S_IFSOCK: "socket",
    S_IFCHR: "char",
    S_IFBLK: "block",
  };
  const flag = flagsOf(mode).find((one) => one in types);
  const numbers = device?.type === "group" ? device.items.flatMap(flagsOf) : [];
  // overlayfs hides a file with device 0:0.
  if (flag === "S_IFCHR" && numbers.length === 2 && numbers.every((one) => Number(one) === 0)) {
    return "whiteout";
  }
  return flag === undefined ? "regular" : types[flag]!;
}

/**
 * Requests that need no right on a device because the kernel handles them before the driver:
 * `is_masked_device_ioctl()` of Linux 7.3, `security/landlock/fs.c`.
 */
const free = new Set([
  ...["FIOCLEX", "FIONCLEX", "FIONBIO", "FIOASYNC", "FIOQSIZE", "FIFREEZE", "FITHAW"],
  ...["FS_IOC_FIEMAP", "FIGETBSZ", "FICLONE", "FICLONERANGE", "FIDEDUPERANGE"],
  ...["FS_IOC_GETFSUUID", "FS_IOC_GETFSSYSFSPATH"],
]);

function ioctl(call: Call): FileOperation | undefined {
  const [fd, request] = call.args;
  if (fd?.type !== "word" || fd.on?.device === undefined) return undefined;
  const names = request?.type === "word" ? request.word.split(" or ") : [];
  if (names.some((name) => free.has(name))) return undefined;
  // Opens the other end of a terminal by number instead of a path. Any path in /dev/pts stands for
  // it.
  if (names.includes("TIOCGPTPEER")) {
    return { kind: "open", path: "/dev/pts/ptmx", read: true, write: true };
  }
  return { kind: "ioctl", path: fd.on.name };
}

/** Whether a call changes a terminal's mode or its foreground programs. */
export function takesTerminal({ name, args }: Call): boolean {
  const [, request] = args;
  return (
    name === "ioctl" &&
    request?.type === "word" &&
    /\b(TCSETSW?F?2?|TIOCSPGRP)\b/.test(request.word)
  );
}

/** The file that an open call opened, as the kernel reports it. */
export function foundBy({ name, result }: Call): Target | undefined {
  return /^(open|creat)/.test(name) && result.type === "word" ? result.on : undefined;
}
