/**
 * Typed wrappers of the system calls this library makes, through libc's `syscall(2)`. Each
 * returns what the kernel returned, failures as a negative errno: what a failure means is for
 * the caller to say.
 */
import { dlopen, FFIType, ptr, read } from "bun:ffi";
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

/** glibc's name; musl's; and musl's where there is no link named after the CPU. */
export const libcNames = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
  "libc.so",
];

const EPERM = -1;
const EINTR = -4;
const ELOOP = -40;
const EILSEQ = -84;
const ENOSYS = -38;

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
    `Cannot load libc as any of ${libcNames.join(", ")}: use Bun on a glibc or musl system, and without a limit on its address space (ulimit -v)`,
    { cause },
  );
}

/** -errno of the call that just returned -1. Nothing may come between the two. */
function lastError(): number {
  return -read.i32(libc().__errno_location()!, 0);
}

/** Arguments one by one: a list of them would cost more than the call, a thousand times. */
function syscall(
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

/** `landlock_create_ruleset(2)` in its query form: the ABI. */
export function landlockAbi(): number {
  return syscall(NR.landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/** `landlock_create_ruleset(2)` in its query form: the mask of fixed errata. */
export function landlockErrata(): number {
  return syscall(NR.landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_ERRATA);
}

/** `landlock_create_ruleset(2)`: a descriptor, close-on-exec. */
export function landlockCreateRuleset(attr: Uint8Array): number {
  return syscall(NR.landlock_create_ruleset, ptr(attr), attr.length, 0);
}

/** `landlock_add_rule(2)`. `attr` is the address of a struct that must stay alive. */
export function landlockAddRule(
  rulesetFd: number,
  ruleType: number,
  attr: number,
  flags: number,
): number {
  return syscall(NR.landlock_add_rule, rulesetFd, ruleType, attr, flags);
}

/** `landlock_restrict_self(2)`: the calling thread, or all of them with the TSYNC flag. */
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

/** `PR_GET_DUMPABLE(2const)`: whether other processes of this user may look into this one. */
export function isDumpable(): boolean {
  return syscall(NR.prctl, PR_GET_DUMPABLE, 0, 0, 0, 0) === 1;
}

/** `open(2)` with `O_PATH`: names a file without reading it, so FIFOs and devices do no harm. */
export function openPath(path: string, flags = 0): number {
  if (!path.isWellFormed()) return EILSEQ;
  const fd = libc().openat(AT_FDCWD, path, O_PATH | O_CLOEXEC | flags, 0);
  return fd === -1 ? lastError() : fd;
}

/** `struct open_how` of `openat2(2)`: the u64 flags, mode and resolve. */
const openHow = new Uint32Array(new ArrayBuffer(24));
const encoder = new TextEncoder();

/** `openat2(2)` with `O_PATH`; before Linux 5.6, and in some containers, always an error. */
function openResolving(path: string, flags: number, resolve: number): number {
  const { read, written } = encoder.encodeInto(path, pathBuffer);
  if (!path.isWellFormed() || read < path.length || written === PATH_MAX) return EILSEQ;
  pathBuffer[written] = 0;
  openHow[0] = O_PATH | O_CLOEXEC | flags;
  openHow[4] = resolve;
  return syscall(NR.openat2, AT_FDCWD, ptr(pathBuffer), ptr(openHow), openHow.byteLength);
}

/** `openPath()` of a path no part of which is a link. */
export function openPathWithoutLinks(path: string, flags: number): number {
  return openResolving(path, flags, RESOLVE_NO_SYMLINKS);
}

/**
 * Whether a path leads through a magic link of /proc, such as `exe`, which is about the process that
 * follows it. Links that lead in a circle give the same errno; before Linux 5.6 always false.
 */
export function hasMagicLink(path: string): boolean {
  const fd = openResolving(path, 0, RESOLVE_NO_MAGICLINKS);
  if (fd >= 0) close(fd);
  return fd === ELOOP;
}

/** `openat(2)` of a name in an open directory. */
export function openIn(directory: number, name: string, flags: number): number {
  if (!name.isWellFormed()) return EILSEQ;
  const fd = libc().openat(directory, name, O_CLOEXEC | flags, 0);
  return fd === -1 ? lastError() : fd;
}

/**
 * `open(2)` for reading; never waits for the other end of a pipe. Bun would open another file for a
 * name that is not UTF-8.
 */
export function openFile(path: string): number {
  return openIn(AT_FDCWD, path, O_NONBLOCK | O_NOCTTY);
}

/** All bytes of a file, or undefined where it cannot be read. */
export function readFile(path: string): Uint8Array | undefined {
  const fd = openFile(path);
  return fd < 0 ? undefined : readOpen(fd);
}

/** The rest of an open file, which is closed then, or undefined where it cannot be read. */
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

/** `read(2)`, again where a signal interrupts it. */
export function readInto(fd: number, buffer: Uint8Array): number {
  for (;;) {
    const got = syscall(NR.read, fd, ptr(buffer), buffer.length);
    if (got !== EINTR) return got;
  }
}

/** `write(2)`, again where a signal interrupts it: the bytes it took, or a negative errno. */
export function write(fd: number, bytes: Uint8Array): number {
  for (;;) {
    const written = syscall(NR.write, fd, ptr(bytes), bytes.length);
    if (written !== EINTR) return written;
  }
}

/** For one call at a time: what the kernel writes there is read at once. */
const pathBuffer = new Uint8Array(new ArrayBuffer(PATH_MAX));

/** `readlink(2)`, or undefined where it cannot be read. */
export function readLink(path: string, directory = AT_FDCWD): string | undefined {
  const name = bytesOf(`${path}\0`);
  const length = syscall(NR.readlinkat, directory, ptr(name), ptr(pathBuffer), PATH_MAX);
  return length < 0 ? undefined : nameOf(pathBuffer.subarray(0, length));
}

/** `readlink(2)` of a link that is open itself, or undefined where it is none. */
export function readOpenLink(fd: number): string | undefined {
  return readLink("", fd);
}

/** The magic number of the file system that a path is on, from `statfs(2)`, or a negative errno. */
export function fileSystemType(path: string): number {
  const name = new TextEncoder().encode(`${path}\0`);
  // struct statfs is 120 bytes, and f_type, a long, its first field.
  const words = new BigUint64Array(15);
  const result = syscall(NR.statfs, ptr(name), ptr(words));
  return result < 0 ? result : Number(words[0]);
}

/** The first fields of `struct statx`, as 32-bit words, or a negative errno. */
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

/** The link count of a file, from `statx(2)`, or a negative errno. */
export function linkCount(path: string): number {
  const words = statx(path, 0, STATX_NLINK);
  // stx_nlink is the u32 at offset 16.
  return typeof words === "number" ? words : words[4]!;
}

/** `st_mode` of a file, whose type is certain, or a negative errno. */
export function fileMode(path: string): number {
  const words = statx(path, 0, STATX_TYPE);
  // stx_mode is the u16 at offset 28.
  return typeof words === "number" ? words : words[7]! & 0xffff;
}

/** What an open file is. */
export interface Status {
  readonly uid: number;
  readonly gid: number;
  /** `st_mode`. */
  readonly mode: number;
  /** Its file system, inode and time of birth: another file has another one. */
  readonly id: string;
}

/** Owner, `st_mode` and identity of an open file, or a negative errno. */
export function statusOf(fd: number): Status | number {
  const mask = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_INO | STATX_BTIME;
  const words = statx("", AT_EMPTY_PATH, mask, fd);
  if (typeof words === "number") return words;
  // stx_uid and stx_gid are the u32 at offsets 20 and 24, stx_mode the u16 at 28.
  const [uid, gid, mode] = [words[5]!, words[6]!, words[7]! & 0xffff];
  const u64 = (at: number) => (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!);
  // stx_dev is at offset 136, stx_ino at 32, stx_btime at 80. An inode's number is used again, and
  // nobody can set the time of birth.
  const id = `${words[34]}:${words[35]} ${u64(8)} ${u64(20)}.${words[22]}`;
  return { uid, gid, mode, id };
}

/** Whether this user may execute a file, or enter a directory: 0, or a negative errno. */
export function mayExecute(path: string): number {
  const name = bytesOf(`${path}\0`);
  const result = syscall(NR.faccessat2, AT_FDCWD, ptr(name), X_OK, AT_EACCESS);
  // Linux before 5.8, and containers, do not know it; the old call asks for the real user.
  const unknown = result === ENOSYS || result === EPERM;
  return unknown ? syscall(NR.faccessat, AT_FDCWD, ptr(name), X_OK) : result;
}

/** Whether a file is the root of a mount, from `statx(2)`; before Linux 5.8 always false. */
export function isMountRoot(path: string): boolean {
  const words = statx(path, AT_SYMLINK_NOFOLLOW, 0);
  // stx_attributes is the u64 at offset 8.
  return typeof words !== "number" && (words[2]! & STATX_ATTR_MOUNT_ROOT) !== 0;
}

/** `close_range(2)` with `CLOSE_RANGE_CLOEXEC`: no descriptor from `first` on survives an exec. */
export function closeOnExecFrom(first: number): number {
  return syscall(NR.close_range, first, 0xffff_ffff, CLOSE_RANGE_CLOEXEC);
}

/** `F_SETFD` of `fcntl(2)`: marks a descriptor close-on-exec, or takes the mark off. */
export function setCloseOnExec(fd: number, on: boolean): number {
  return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

/** `fcntl(2)` with a number as its argument. */
export function fcntl(fd: number, command: number, argument: number): number {
  return syscall(NR.fcntl, fd, command, argument);
}

/** `close(2)`. */
export function close(fd: number): void {
  libc().close(fd);
}

/** `memfd_create(2)`: a descriptor, close-on-exec. */
export function memfdCreate(name: string, flags: number): number {
  const text = new TextEncoder().encode(`${name}\0`);
  return syscall(NR.memfd_create, ptr(text), flags);
}

/** `pipe(2)` with `O_CLOEXEC`: the reading and the writing end, or a negative errno. */
export function pipe(): [reader: number, writer: number] | number {
  const ends = new Int32Array(2);
  const result = syscall(NR.pipe2, ptr(ends), O_CLOEXEC);
  return result < 0 ? result : [ends[0]!, ends[1]!];
}

/** `eventfd(2)`, close-on-exec, of which reading never waits: a descriptor, or a negative errno. */
export function eventfd(): number {
  return syscall(NR.eventfd2, 0, O_CLOEXEC | EFD_NONBLOCK);
}

/** `getrlimit(2)` of `RLIMIT_NOFILE`, of any process: soft and hard limit, or undefined. */
export function openFileLimit(pid: number): { soft: bigint; hard: bigint } | undefined {
  const limit = new BigUint64Array(2);
  const result = syscall(NR.prlimit64, pid, RLIMIT_NOFILE, 0, ptr(limit));
  return result < 0 ? undefined : { soft: limit[0]!, hard: limit[1]! };
}

/** `setrlimit(2)` of the soft `RLIMIT_NOFILE`, where it is not above the hard one. */
export function setOpenFileLimit(soft: number): void {
  const now = openFileLimit(0);
  if (now === undefined) return;
  const limit = new BigUint64Array([BigInt(soft), now.hard]);
  syscall(NR.prlimit64, 0, RLIMIT_NOFILE, ptr(limit), 0);
}

/** `rt_sigaction(2)`: gives SIGCHLD its default. Children of who ignores it cannot be waited for. */
export function defaultChildSignal(): void {
  // struct sigaction: handler, flags, restorer and mask, all 0.
  const action = new BigUint64Array(new ArrayBuffer(32));
  syscall(NR.rt_sigaction, SIGCHLD, ptr(action), 0, 8);
}

/** `TIOCGWINSZ` of `ioctl_tty(2)`: a terminal's width in characters, 0: it has none; undefined: no terminal. */
export function terminalColumns(fd: number): number | undefined {
  // struct winsize: rows, columns, and two that are unused; each a u16.
  const size = new Uint16Array(4);
  return syscall(NR.ioctl, fd, TIOCGWINSZ, ptr(size)) < 0 ? undefined : size[1]!;
}
