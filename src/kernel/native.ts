/** Loads the native library. No other module does. */
import { dlopen, FFIType, linkSymbols, ptr, type FFIFunction, type Pointer } from "bun:ffi";
import { LandlockError } from "../errors/errors.ts";
import { mapLibrary } from "./mapped.ts";
import { nativeImage } from "./memory.ts";
import { bytesOf } from "./names.ts";
import { fileSystemType } from "./syscalls.ts";
import { PROC_SUPER_MAGIC } from "./uapi.ts";

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
  const mapped = Bun.isMainThread ? mapLibrary(fd) : "a Worker needs /proc to load it; mount /proc";
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

/** The result of a broadcast. Errors are negative errnos, or 0 if there was none. */
export interface Broadcast {
  /** 0, a negative errno of the calling thread, or one of the ALLTHREADS results. */
  readonly result: number;
  /** The number of restricted threads, including the caller. */
  readonly threads: number;
  /** The thread that caused the failure, or 0. */
  readonly tid: number;
  readonly error: number;
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
    error: error!,
    changed: changed !== 0,
    name: name.length === 0 ? "" : new TextDecoder().decode(name),
  };
}

/**
 * Executes another program in place of this one, like a plain exec: see `lib/allthreads.h`.
 *
 * @param argv NUL-terminated strings, as the exact bytes for the program
 * @param openFiles The soft `RLIMIT_NOFILE` to set; 0 keeps the current one
 * @returns A negative errno; it doesn't return on success
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
  return Number(native().landlock_execve(ptr(file), ptr(args), ptr(env), openFiles));
}
