/**
 * Typed wrappers for the system calls of this library, through libc's `syscall(2)`. A failure is
 * returned as -errno (see `errors/errno.ts`), and the caller explains what it means.
 */
import { dlopen, FFIType, ptr, read } from "bun:ffi";
import { EILSEQ, EINTR, ELOOP, ENOSYS, EPERM } from "../errors/errno.ts";
import { LandlockError } from "../errors/errors.ts";
import { bytesOf, nameOf } from "./names.ts";
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  CLOSE_RANGE_CLOEXEC,
  EFD_NONBLOCK,
  F_SETFD,
  FD_CLOEXEC,
  LANDLOCK_CREATE_RULESET_ERRATA,
  LANDLOCK_CREATE_RULESET_VERSION,
  NR,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_PATH,
  PATH_MAX,
  PR_GET_DUMPABLE,
  PR_GET_NO_NEW_PRIVS,
  PR_SET_NO_NEW_PRIVS,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RLIMIT_NOFILE,
  SIGCHLD,
  STATX_ATTR_MOUNT_ROOT,
  STATX_BTIME,
  STATX_GID,
  STATX_INO,
  STATX_MODE,
  STATX_NLINK,
  STATX_TYPE,
  STATX_UID,
  TIOCGWINSZ,
  X_OK,
} from "./uapi.ts";

const { i32, u32, i64, i64_fast, cstring, ptr: pointer } = FFIType;

const symbols = {
  syscall: { args: [i64, i64, i64, i64, i64, i64], returns: i64_fast },
  openat: { args: [i32, cstring, i32, u32], returns: i32 },
  close: { args: [i32], returns: i32 },
  __errno_location: { args: [], returns: pointer },
} as const;

/** glibc's name, musl's name, and musl's name on systems that have no link named after the CPU. */
export const libcNames = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
  "libc.so",
];

type Libc = ReturnType<typeof dlopen<typeof symbols>>["symbols"];
let loaded: Libc | undefined;

function libc(): Libc {
  if (loaded) return loaded;
  let cause: unknown;
  for (const name of libcNames) {
    try {
      return (loaded = dlopen(name, symbols).symbols);
    } catch (error) {
      cause = error;
    }
  }
  throw new LandlockError(
    "ERR_LANDLOCK_NATIVE",
    `Cannot load libc (tried ${libcNames.join(", ")}): use Bun on a glibc or musl system, without a limit on the address space (ulimit -v)`,
    { cause },
  );
}

/** `-errno` of the call that just returned -1. Make no other call in between. */
function lastError(): number {
  return -read.i32(libc().__errno_location()!, 0);
}

/**
 * Makes a system call. Takes separate arguments because building an array would cost more than the
 * call itself.
 */
export function syscall(
  number: number,
  a: number | bigint,
  b: number | bigint,
  c: number | bigint = 0,
  d: number | bigint = 0,
  e: number | bigint = 0,
): number {
  const result = libc().syscall(number, a, b, c, d, e);
  return result === -1 ? lastError() : Number(result);
}

/** Queries the Landlock ABI with `landlock_create_ruleset(2)`. */
export function landlockAbi(): number {
  return syscall(NR.landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/** Queries the mask of fixed errata with `landlock_create_ruleset(2)`. */
export function landlockErrata(): number {
  return syscall(NR.landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_ERRATA);
}

/** `landlock_create_ruleset(2)`: returns a close-on-exec descriptor. */
export function landlockCreateRuleset(attr: Uint8Array): number {
  return syscall(NR.landlock_create_ruleset, ptr(attr), attr.length, 0);
}

/** `landlock_add_rule(2)`. `attr` is the address of a struct that the caller must keep alive. */
export function landlockAddRule(
  rulesetFd: number,
  ruleType: number,
  attr: number,
  flags: number,
): number {
  return syscall(NR.landlock_add_rule, rulesetFd, ruleType, attr, flags);
}

/** `landlock_restrict_self(2)` for the calling thread, or for all threads with the TSYNC flag. */
export function landlockRestrictSelf(rulesetFd: number, flags: number): number {
  return syscall(NR.landlock_restrict_self, rulesetFd, flags);
}

/** `PR_GET_NO_NEW_PRIVS(2const)` of the calling thread. */
export function getNoNewPrivs(): number {
  return syscall(NR.prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

/** `PR_SET_NO_NEW_PRIVS(2const)` on the calling thread. */
export function setNoNewPrivs(): number {
  return syscall(NR.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/** `PR_GET_DUMPABLE(2const)`: whether other processes of this user may inspect this one. */
export function isDumpable(): boolean {
  return syscall(NR.prctl, PR_GET_DUMPABLE, 0, 0, 0, 0) === 1;
}

/** `open(2)` with `O_PATH`: refers to a file without reading it, so FIFOs and devices are safe. */
export function openPath(path: string, flags = 0): number {
  if (!path.isWellFormed()) return -EILSEQ;
  const fd = libc().openat(AT_FDCWD, path, O_PATH | O_CLOEXEC | flags, 0);
  return fd === -1 ? lastError() : fd;
}

/** `struct open_how` of `openat2(2)`: flags, mode and resolve, each a u64. */
const openHow = new Uint32Array(new ArrayBuffer(24));
const encoder = new TextEncoder();

/** `openat2(2)` with `O_PATH`. It always fails before Linux 5.6 and in some containers. */
function openResolving(path: string, flags: number, resolve: number): number {
  const { read, written } = encoder.encodeInto(path, pathBuffer);
  if (!path.isWellFormed() || read < path.length || written === PATH_MAX) return -EILSEQ;
  pathBuffer[written] = 0;
  openHow[0] = O_PATH | O_CLOEXEC | flags;
  openHow[4] = resolve;
  return syscall(NR.openat2, AT_FDCWD, ptr(pathBuffer), ptr(openHow), openHow.byteLength);
}

/** Like `openPath()`, but fails if any part of the path is a symbolic link. */
export function openPathWithoutLinks(path: string, flags: number): number {
  return openResolving(path, flags, RESOLVE_NO_SYMLINKS);
}

/**
 * Whether a path goes through a magic link of /proc, such as `/proc/self/exe`. Circular links count
 * too, because they give the same errno. Always false before Linux 5.6.
 */
export function hasMagicLink(path: string): boolean {
  const fd = openResolving(path, 0, RESOLVE_NO_MAGICLINKS);
  if (fd >= 0) close(fd);
  return fd === -ELOOP;
}

/** `openat(2)` of a name in an open directory. */
export function openIn(directory: number, name: string, flags: number): number {
  if (!name.isWellFormed()) return -EILSEQ;
  const fd = libc().openat(directory, name, O_CLOEXEC | flags, 0);
  return fd === -1 ? lastError() : fd;
}

/** `open(2)` for reading. It never waits for a pipe, and it supports names that aren't UTF-8. */
export function openFile(path: string): number {
  return openIn(AT_FDCWD, path, O_NONBLOCK | O_NOCTTY);
}

/** All bytes of a file, or undefined if it can't be read. */
export function readFile(path: string): Uint8Array | undefined {
  const fd = openFile(path);
  return fd < 0 ? undefined : readOpen(fd);
}

/** Reads the rest of an open file and closes it. Returns undefined if it can't be read. */
export function readOpen(fd: number): Uint8Array | undefined {
  let bytes = new Uint8Array(4096);
  for (let length = 0; ;) {
    const got = readInto(fd, bytes.subarray(length));
    if (got <= 0) {
      close(fd);
      return got < 0 ? undefined : bytes.subarray(0, length);
    }
    length += got;
    if (length === bytes.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(bytes);
      bytes = larger;
    }
  }
}

/** `read(2)`, repeated if a signal interrupts it. */
export function readInto(fd: number, buffer: Uint8Array): number {
  for (;;) {
    const got = syscall(NR.read, fd, ptr(buffer), buffer.length);
    if (got !== -EINTR) return got;
  }
}

/** `write(2)`, repeated if a signal interrupts it. Returns the number of bytes written. */
export function write(fd: number, bytes: Uint8Array): number {
  for (;;) {
    const written = syscall(NR.write, fd, ptr(bytes), bytes.length);
    if (written !== -EINTR) return written;
  }
}

/** Shared by all calls: each one reads the kernel's answer before the next call overwrites it. */
const pathBuffer = new Uint8Array(new ArrayBuffer(PATH_MAX));

/** `readlink(2)`, or undefined if it fails. */
export function readLink(path: string, directory = AT_FDCWD): string | undefined {
  const name = bytesOf(`${path}\0`);
  const length = syscall(NR.readlinkat, directory, ptr(name), ptr(pathBuffer), PATH_MAX);
  return length < 0 ? undefined : nameOf(pathBuffer.subarray(0, length));
}

/** `readlink(2)` of an open link, or undefined if the descriptor isn't a link. */
export function readOpenLink(fd: number): string | undefined {
  return readLink("", fd);
}

/** The magic number of the file system that holds a path, from `statfs(2)`, or -errno. */
export function fileSystemType(path: string): number {
  const name = new TextEncoder().encode(`${path}\0`);
  // struct statfs is 120 bytes. Its first field is f_type, a long.
  const words = new BigUint64Array(15);
  const result = syscall(NR.statfs, ptr(name), ptr(words));
  return result < 0 ? result : Number(words[0]);
}

/** `struct statx` as 32-bit words, or -errno. */
function statx(
  path: string,
  flags: number,
  mask: number,
  directory = AT_FDCWD,
): Uint32Array | number {
  const name = bytesOf(`${path}\0`);
  // struct statx is 256 bytes.
  const words = new Uint32Array(64);
  const result = syscall(NR.statx, directory, ptr(name), flags, mask, ptr(words));
  return result < 0 ? result : words;
}

/** The link count of a file, from `statx(2)`, or -errno. */
export function linkCount(path: string): number {
  const words = statx(path, 0, STATX_NLINK);
  // stx_nlink is the u32 at offset 16.
  return typeof words === "number" ? words : words[4]!;
}

/** `st_mode` of a file, or -errno. Only the file type bits are guaranteed. */
export function fileMode(path: string): number {
  const words = statx(path, 0, STATX_TYPE);
  // stx_mode is the u16 at offset 28.
  return typeof words === "number" ? words : words[7]! & 0xffff;
}

/** What `statusOf()` tells about an open file. */
export interface Status {
  readonly uid: number;
  readonly gid: number;
  /** `st_mode`. */
  readonly mode: number;
  /** File system, inode and time of birth. No two files share it. */
  readonly id: string;
}

/** Owner, `st_mode` and identity of an open file, or -errno. */
export function statusOf(fd: number): Status | number {
  const mask = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_INO | STATX_BTIME;
  const words = statx("", AT_EMPTY_PATH, mask, fd);
  if (typeof words === "number") return words;
  // stx_uid and stx_gid are the u32 at offsets 20 and 24, stx_mode the u16 at 28.
  const [uid, gid, mode] = [words[5]!, words[6]!, words[7]! & 0xffff];
  const u64 = (at: number) => (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!);
  // stx_dev is at offset 136, stx_ino at 32, stx_btime at 80. The time of birth distinguishes files
  // that reuse an inode number, and nobody can set it.
  const id = `${words[34]}:${words[35]} ${u64(8)} ${u64(20)}.${words[22]}`;
  return { uid, gid, mode, id };
}

/** Returns 0 if this user may execute a file or enter a directory, otherwise -errno. */
export function mayExecute(path: string): number {
  const name = bytesOf(`${path}\0`);
  const result = syscall(NR.faccessat2, AT_FDCWD, ptr(name), X_OK, AT_EACCESS);
  // Linux before 5.8 and some containers lack faccessat2. The older call checks the real user.
  const unknown = result === -ENOSYS || result === -EPERM;
  return unknown ? syscall(NR.faccessat, AT_FDCWD, ptr(name), X_OK) : result;
}

/** Whether a file is the root of a mount, from `statx(2)`. Always false before Linux 5.8. */
export function isMountRoot(path: string): boolean {
  const words = statx(path, AT_SYMLINK_NOFOLLOW, 0);
  // stx_attributes is the u64 at offset 8.
  return typeof words !== "number" && (words[2]! & STATX_ATTR_MOUNT_ROOT) !== 0;
}

/** `close_range(2)` with `CLOSE_RANGE_CLOEXEC`: makes descriptors from `first` on close-on-exec. */
export function closeOnExecFrom(first: number): number {
  return syscall(NR.close_range, first, 0xffff_ffff, CLOSE_RANGE_CLOEXEC);
}

/** `F_SETFD` of `fcntl(2)`: sets or clears close-on-exec. */
export function setCloseOnExec(fd: number, on: boolean): number {
  return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

/** `fcntl(2)` with a numeric argument. */
export function fcntl(fd: number, command: number, argument: number): number {
  return syscall(NR.fcntl, fd, command, argument);
}

/** `close(2)`. */
export function close(fd: number): void {
  libc().close(fd);
}

/** `memfd_create(2)`: a descriptor, or -errno. */
export function memfdCreate(name: string, flags: number): number {
  const text = new TextEncoder().encode(`${name}\0`);
  return syscall(NR.memfd_create, ptr(text), flags);
}

/** `pipe(2)` with `O_CLOEXEC`: the reading and the writing end, or -errno. */
export function pipe(): [reader: number, writer: number] | number {
  const ends = new Int32Array(2);
  const result = syscall(NR.pipe2, ptr(ends), O_CLOEXEC);
  return result < 0 ? result : [ends[0]!, ends[1]!];
}

/** `eventfd(2)`, close-on-exec and non-blocking: a descriptor, or -errno. */
export function eventfd(): number {
  return syscall(NR.eventfd2, 0, O_CLOEXEC | EFD_NONBLOCK);
}

/** `getrlimit(2)` of `RLIMIT_NOFILE` for any process: the soft and hard limits, or undefined. */
export function openFileLimit(pid: number): { soft: bigint; hard: bigint } | undefined {
  const limit = new BigUint64Array(2);
  const result = syscall(NR.prlimit64, pid, RLIMIT_NOFILE, 0, ptr(limit));
  return result < 0 ? undefined : { soft: limit[0]!, hard: limit[1]! };
}

/** Sets the soft `RLIMIT_NOFILE` with `setrlimit(2)`, unless it would exceed the hard limit. */
export function setOpenFileLimit(soft: number): void {
  const now = openFileLimit(0);
  if (now === undefined) return;
  const limit = new BigUint64Array([BigInt(soft), now.hard]);
  syscall(NR.prlimit64, 0, RLIMIT_NOFILE, ptr(limit), 0);
}

/** Resets SIGCHLD: a process that ignores it can't wait for its children. */
export function defaultChildSignal(): void {
  // struct sigaction: handler, flags, restorer and mask, all 0.
  const action = new BigUint64Array(new ArrayBuffer(32));
  syscall(NR.rt_sigaction, SIGCHLD, ptr(action), 0, 8);
}

/** A terminal's width in characters, 0 if unknown. Undefined if `fd` isn't a terminal. */
export function terminalColumns(fd: number): number | undefined {
  // struct winsize: rows, columns and two unused fields, each a u16.
  const size = new Uint16Array(4);
  return syscall(NR.ioctl, fd, TIOCGWINSZ, ptr(size)) < 0 ? undefined : size[1]!;
}
