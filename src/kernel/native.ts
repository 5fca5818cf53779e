/**
 * Loads the native library; no other module does. The library first becomes a sealed file in
 * memory, because a path could lead to an attacker's file. A sandboxed command may be able to write
 * the current directory, and the one where Bun unpacks programs.
 */
import { dlopen, FFIType, linkSymbols, ptr, type FFIFunction, type Pointer } from "bun:ffi";
import { EACCES, EINVAL } from "../errors/errno.ts";
import { errnoName, fixOf, LandlockError } from "../errors/errors.ts";
import { image } from "./image.ts";
import { mapLibrary } from "./mapped.ts";
import { bytesOf } from "./names.ts";
import { close, fcntl, fileSystemType, memfdCreate, readFile, write } from "./syscalls.ts";
import {
  F_ADD_SEALS,
  F_DUPFD_CLOEXEC,
  F_GET_SEALS,
  F_SEAL_EXEC,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  PROC_SUPER_MAGIC,
} from "./uapi.ts";

/** `LANDLOCK_NATIVE_VERSION` of `lib/allthreads.h`. */
const version = 3;

/** Results of `allthreads_restrict` other than an errno, from `lib/allthreads.h`. */
export const ALLTHREADS_UNREACHABLE = -5001;
export const ALLTHREADS_DIVERGED = -5002;

/** `struct allthreads_report`: five int32 and a name of 20 bytes. */
const reportBytes = 40;

const { i32, u32, u64, i64_fast, ptr: pointer } = FFIType;
const symbols = {
  landlock_native_version: { args: [], returns: i32 },
  allthreads_restrict: { args: [i32, u32, u32, pointer], returns: i64_fast },
  landlock_execve: { args: [pointer, pointer, pointer, u64], returns: i64_fast },
} as const;

/** The library's functions. */
type Native = ReturnType<typeof dlopen<typeof symbols>>["symbols"];
let loaded: Native | undefined;

function native(): Native {
  if (loaded) return loaded;
  const fd = nativeImage();
  // If /proc isn't procfs, the file at that path could be anybody's.
  const inProc = fileSystemType("/proc/self/fd") === PROC_SUPER_MAGIC;
  const opened = inProc ? openLibrary(`/proc/self/fd/${fd}`) : mapWithoutProc(fd);
  const found = opened.landlock_native_version();
  if (found !== version) {
    throw new LandlockError(
      "ERR_LANDLOCK_NATIVE",
      `Cannot use the native library: it has version ${found} instead of ${version}; reinstall bun-landlock`,
    );
  }
  return (loaded = opened);
}

function openLibrary(path: string): Native {
  try {
    return dlopen(path, symbols).symbols;
  } catch (cause) {
    const message = `Cannot load the native library: ${(cause as Error).message}; let this process map executable memory`;
    throw new LandlockError("ERR_LANDLOCK_NATIVE", message, { path, cause });
  }
}

function mapWithoutProc(fd: number): Native {
  // Each thread would map its own copy, with its own lock.
  const mapped = Bun.isMainThread
    ? mapLibrary(fd, nativeBytes())
    : "a Worker needs /proc to load it; mount /proc";
  if (typeof mapped === "string") {
    const message = `Cannot load the native library: ${mapped}`;
    throw new LandlockError("ERR_LANDLOCK_NATIVE", message, { path: "/proc/self" });
  }
  const functions: Record<string, FFIFunction> = {};
  for (const [name, address] of mapped) {
    functions[name] = { ...symbols[name as keyof typeof symbols], ptr: address as Pointer };
  }
  return linkSymbols(functions).symbols as unknown as Native;
}

/** Loads the library early, for calls made after /proc becomes inaccessible. */
export function loadNative(): void {
  native();
}

/** The result of a broadcast. */
export interface Broadcast {
  /** 0, -errno of the calling thread, or one of the ALLTHREADS results. */
  readonly result: number;
  /** The number of restricted threads, including the caller. */
  readonly threads: number;
  /** The thread that caused the failure, or 0. */
  readonly tid: number;
  /** The errno of that failure, or 0. */
  readonly errno: number;
  readonly changed: boolean;
  /** That thread's name; empty if there is none. */
  readonly name: string;
}

/**
 * Sets no_new_privs and enforces a ruleset on every thread or none, for ABI 7 and below.
 *
 * @param deadlineMs How long the threads may take to park, in milliseconds
 */
export function restrictAllThreads(fd: number, flags: number, deadlineMs: number): Broadcast {
  const report = new Uint8Array(new ArrayBuffer(reportBytes));
  const result = Number(native().allthreads_restrict(fd, flags, deadlineMs, ptr(report)));
  const [threads, tid, error, , changed] = new Int32Array(report.buffer, 0, 5);
  const name = report.subarray(20, report.indexOf(0, 20));
  return {
    result,
    threads: threads!,
    tid: tid!,
    errno: -error!,
    changed: changed !== 0,
    name: name.length === 0 ? "" : new TextDecoder().decode(name),
  };
}

/**
 * Executes another program in place of this one, like a plain exec: see `lib/allthreads.h`.
 *
 * @param argv NUL-terminated strings, as the exact bytes for the program
 * @param openFiles The soft `RLIMIT_NOFILE` to set; 0 keeps the current one
 * @returns The errno; it doesn't return on success
 */
export function execve(
  path: string,
  argv: readonly Uint8Array[],
  envp: readonly Uint8Array[],
  openFiles: bigint,
): number {
  const vector = (strings: readonly Uint8Array[]) =>
    new BigUint64Array([...strings.map((string) => BigInt(ptr(string))), 0n]);
  // Variables keep these buffers alive until the call has read them.
  const file = bytesOf(`${path}\0`);
  const args = vector(argv);
  const env = vector(envp);
  return -Number(native().landlock_execve(ptr(file), ptr(args), ptr(env), openFiles));
}

/** Nobody can change the file, not even a command that inherits it. */
const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

/**
 * All threads and all copies of this package look for the file at these descriptors. The library
 * has state, so a process should load it only once.
 */
const firstFd = 500;
const lastFd = 503;

let imageFd = -1;

/** The library's bytes; the bundles have them as text. */
function nativeBytes(): Uint8Array {
  return typeof image === "string" ? Uint8Array.fromBase64(image) : image;
}

/** The descriptor of a sealed file in memory that holds the library; close-on-exec. */
function nativeImage(): number {
  if (imageFd < 0) imageFd = createImage();
  return imageFd;
}

/** The same file, to be executed as a program. */
export function launcherImage(): number {
  const fd = nativeImage();
  const found = fcntl(fd, F_GET_SEALS, 0);
  if (found < 0 || (found & F_SEAL_EXEC) === 0) return fd;
  throw new LandlockError(
    "ERR_LANDLOCK_NATIVE",
    "Cannot execute the launcher: this system forbids executable files in memory; lower the sysctl vm.memfd_noexec",
    { syscall: "memfd_create", errno: EACCES },
  );
}

/**
 * Whether the file is sealed and holds exactly these bytes. Another process could pass us a
 * descriptor of its own.
 */
function isLibrary(fd: number): boolean {
  const found = fcntl(fd, F_GET_SEALS, 0);
  if (found < 0 || (found & seals) !== seals) return false;
  const bytes = readFile(`/proc/self/fd/${fd}`);
  return bytes !== undefined && Buffer.compare(bytes, nativeBytes()) === 0;
}

function createImage(): number {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  let fd = memfdCreate("liblandlock", flags | MFD_EXEC);
  // Linux before 6.3 lacks MFD_EXEC (EINVAL). The sysctl vm.memfd_noexec may forbid it (EACCES).
  if (fd === -EINVAL || fd === -EACCES) fd = memfdCreate("liblandlock", flags);
  if (fd < 0) throw imageError("memfd_create", -fd);
  const bytes = nativeBytes();
  for (let at = 0; at < bytes.length;) {
    const written = write(fd, bytes.subarray(at));
    if (written <= 0) throw imageError("write", -written, fd);
    at += written;
  }
  const sealed = fcntl(fd, F_ADD_SEALS, seals);
  if (sealed < 0) throw imageError("fcntl", -sealed, fd);
  const moved = fcntl(fd, F_DUPFD_CLOEXEC, firstFd);
  // If the limit on open files is too low to move it, only this thread uses it.
  if (moved < 0) return fd;
  close(fd);
  for (let other = firstFd; other < moved && other <= lastFd; other++) {
    if (!isLibrary(other)) continue;
    close(moved);
    return other;
  }
  return moved;
}

function imageError(syscall: string, errno: number, fd = -1): LandlockError {
  if (fd >= 0) close(fd);
  return new LandlockError(
    "ERR_LANDLOCK_NATIVE",
    `Cannot put the native library into memory: ${syscall} failed with ${errnoName(errno)}; ${fixOf(errno)}`,
    { syscall, errno },
  );
}
