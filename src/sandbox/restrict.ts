/** Enforces a ruleset on every thread of the process, or fails without restricting any. */
import { errnoName, LandlockError, syscallError } from "../errors/errors.ts";
import { restrictFlags, type RestrictFlag } from "../kernel/abi.ts";
import {
  ALLTHREADS_DIVERGED,
  ALLTHREADS_UNREACHABLE,
  restrictAllThreads,
  type Broadcast,
} from "../kernel/native.ts";
import {
  getNoNewPrivs,
  landlockRestrictSelf,
  linkCount,
  setNoNewPrivs,
} from "../kernel/syscalls.ts";
import { maskOf } from "../kernel/uapi.ts";
import type { ThreadReport } from "./report.ts";

const E2BIG = -7;
const EAGAIN = -11;

/** Flags as the argument of `landlock_restrict_self(2)`. */
export function encodeFlags(flags: readonly RestrictFlag[]): number {
  return maskOf(flags, restrictFlags);
}

/**
 * Enforces a ruleset on every thread of the process.
 *
 * @param deadlineMs How long other threads may take to answer a broadcast, in milliseconds
 */
export function enforce(
  fd: number,
  flags: readonly RestrictFlag[],
  deadlineMs: number,
): ThreadReport {
  if (!flags.includes("tsync")) return enforceBroadcast(fd, flags, deadlineMs);
  enforceHere(fd, flags);
  return { count: threadCount(), method: "tsync" };
}

/** Enforces a ruleset on the calling thread only, which is about to execute a program. */
export function enforceThread(fd: number, flags: readonly RestrictFlag[]): void {
  enforceHere(
    fd,
    flags.filter((flag) => flag !== "tsync"),
  );
}

function enforceHere(fd: number, flags: readonly RestrictFlag[]): void {
  const needsNoNewPrivs = !flags.includes("no_new_privs") && getNoNewPrivs() !== 1;
  if (needsNoNewPrivs) {
    const result = setNoNewPrivs();
    if (result < 0) throw failed("prctl", result, false);
  }
  const result = landlockRestrictSelf(fd, encodeFlags(flags));
  if (result < 0) throw failed("landlock_restrict_self", result, needsNoNewPrivs);
}

/** The directory's link count is the number of threads plus its own two links. */
function threadCount(): number {
  return Math.max(linkCount("/proc/self/task") - 2, 1);
}

function enforceBroadcast(
  fd: number,
  flags: readonly RestrictFlag[],
  deadlineMs: number,
): ThreadReport {
  const done = restrictAllThreads(fd, encodeFlags(flags), deadlineMs);
  if (done.result === ALLTHREADS_UNREACHABLE) throw unreachable(done, deadlineMs);
  if (done.result === ALLTHREADS_DIVERGED) throw diverged(done);
  if (done.result < 0) throw failed("landlock_restrict_self", done.result, done.changed);
  return { count: done.threads, method: "broadcast" };
}

function unreachable(done: Broadcast, deadlineMs: number): LandlockError {
  if (done.tid === 0 && done.error < 0) return notFound(-done.error);
  const who = done.tid === 0 ? "A thread" : `Thread ${named(done)}`;
  const why =
    done.error < 0 ? `could not be signalled: ${errnoName(-done.error)}` : "did not answer";
  // EAGAIN means that too many signals of this user are queued: sigqueue(3).
  const fix =
    done.error === EAGAIN
      ? "raise the limit on pending signals, ulimit -i"
      : "end that thread or let it take signals";
  return new LandlockError(
    "ERR_LANDLOCK_THREADS_UNREACHABLE",
    `${who} ${why} within ${deadlineMs} ms, so nothing was restricted: ${fix}, and call again`,
    done.error < 0 ? { syscall: "rt_tgsigqueueinfo", errno: -done.error } : {},
  );
}

/** `/proc` doesn't list the threads, and probing each id takes too long or is forbidden. */
function notFound(errno: number): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_THREADS_UNREACHABLE",
    `Not all threads could be found: ${errnoName(errno)}, so nothing was restricted: let this process list /proc/self/task, and call again`,
    { syscall: "tgkill", errno },
  );
}

/** A thread's id, and its name if `/proc` could be read. */
function named({ tid, name }: Broadcast): string {
  return name === "" ? `${tid}` : `${tid} ("${name}")`;
}

function diverged(done: Broadcast): LandlockError {
  const who = done.tid === 0 ? "a thread" : `thread ${named(done)}`;
  const why =
    done.error < 0
      ? `landlock_restrict_self on ${who} failed with ${errnoName(-done.error)}`
      : `${who} did not restrict itself`;
  return new LandlockError(
    "ERR_LANDLOCK_THREADS_DIVERGED",
    `Only some threads are restricted: ${why}; end the process`,
    {
      syscall: "landlock_restrict_self",
      processChanged: true,
      ...(done.error < 0 ? { errno: -done.error } : {}),
    },
  );
}

function failed(syscall: string, errno: number, processChanged: boolean): LandlockError {
  if (errno === E2BIG) {
    return new LandlockError(
      "ERR_LANDLOCK_TOO_MANY_LAYERS",
      "Cannot add a layer: 16 rulesets are in force already, the kernel's limit; put the rules into fewer calls",
      { syscall, errno: -errno, processChanged },
    );
  }
  return syscallError("Cannot enforce the ruleset", syscall, -errno, { processChanged });
}
