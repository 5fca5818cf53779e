/** The errors for rulesets that can't be built or enforced. */
import { E2BIG, EAGAIN, ENOENT, ENOTDIR } from "../errors/errno.ts";
import { errnoName, LandlockError, syscallError } from "../errors/errors.ts";
import type { Hint } from "../errors/hints.ts";
import { fileRights } from "../kernel/abi.ts";
import type { Broadcast } from "../kernel/native.ts";
import { readLink } from "../kernel/syscalls.ts";
import type { PathRule } from "./plan.ts";

/** A path that can't be used, and the errno with the reason. */
export interface Unusable {
  readonly rule: PathRule;
  readonly syscall: string;
  readonly errno: number;
  /** The kind of file, if that is the reason. */
  readonly kind?: string;
}

/** Whether an errno of opening a path means that nothing is there. */
export function isMissing(errno: number): boolean {
  return errno === ENOENT || errno === ENOTDIR;
}

/** One error that names all unusable paths. */
export function unusablePaths(unusable: readonly Unusable[]): LandlockError {
  const [first] = unusable as [Unusable];
  const reason = ({ errno, kind }: Unusable) =>
    kind === undefined
      ? `open failed with ${errnoName(errno)}`
      : `it is a ${kind}, which Landlock never restricts`;
  const all = unusable.map((one) => `"${one.rule.path}" (${reason(one)})`).join(", ");
  const problem =
    unusable.length > 1
      ? `Cannot use ${unusable.length} paths: ${all}`
      : `Cannot grant ${first.rule.access.join(", ")} beneath "${first.rule.path}": ${reason(first)}`;
  const paths = unusable.map(({ rule }) => rule.path);
  const hint: Hint = unusable.every(({ errno }) => isMissing(errno))
    ? { id: "missing", paths }
    : { id: unusable.every(({ kind }) => kind) ? "needless" : "unusable" };
  return new LandlockError("ERR_LANDLOCK_PATH", problem, {
    hint,
    syscall: first.syscall,
    errno: first.errno,
    path: first.rule.path,
  });
}

/** The kind of an open file outside of the file hierarchy, according to /proc. */
export function kindOf(fd: number): string {
  const link = readLink(`/proc/self/fd/${fd}`);
  if (link === undefined) return "pipe, a socket or the like";
  return /^\/?(pipe|socket|memfd):/.exec(link)?.[1] ?? "file without a place";
}

/** The error for a file that was replaced after a preset inspected it. */
export function replaced({ path, access }: PathRule): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot grant ${access.join(", ")} beneath "${path}": the file was replaced after its preset inspected it; call the preset again`,
    { path },
  );
}

/** The error for a directory right that is granted on something else. */
export function directoryRightOnFile(rule: PathRule): LandlockError {
  const stray = rule.access.filter((right) => !fileRights.includes(right)).join(", ");
  return new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    `Cannot grant ${stray} on "${rule.path}": it applies to directories only, and this is not one`,
    { path: rule.path, hint: { id: "directoryRight" } },
  );
}

/** The error for a ruleset or a rule that the kernel refuses. */
export function buildFailure(syscall: string, errno: number, path?: string): LandlockError {
  const details = path === undefined ? {} : { path };
  return syscallError("Cannot build the ruleset", syscall, errno, details);
}

/**
 * The error for a ruleset that the kernel refuses to enforce.
 *
 * @param processChanged Whether a thread was changed before
 */
export function enforceFailure(
  syscall: string,
  errno: number,
  processChanged: boolean,
): LandlockError {
  if (errno === E2BIG) {
    return new LandlockError(
      "ERR_LANDLOCK_TOO_MANY_LAYERS",
      "Cannot add a layer: 16 rulesets are in force already, the kernel's limit; put the rules into fewer calls",
      { syscall, errno, processChanged },
    );
  }
  return syscallError("Cannot enforce the ruleset", syscall, errno, { processChanged });
}

/** The error for a thread, or the list of threads, that could not be reached in time. */
export function unreachable({ tid, name, errno }: Broadcast, deadlineMs: number): LandlockError {
  if (tid === 0 && errno > 0) return notFound(errno);
  const who = tid === 0 ? "A thread" : `Thread ${named(tid, name)}`;
  const why = errno > 0 ? `could not be signalled: ${errnoName(errno)}` : "did not answer";
  // EAGAIN means that too many signals of this user are queued: sigqueue(3).
  const fix =
    errno === EAGAIN
      ? "raise the limit on pending signals, ulimit -i"
      : "end that thread or let it take signals";
  return new LandlockError(
    "ERR_LANDLOCK_THREADS_UNREACHABLE",
    `${who} ${why} within ${deadlineMs} ms, so nothing was restricted: ${fix}, and call again`,
    errno > 0 ? { syscall: "rt_tgsigqueueinfo", errno } : {},
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

/** The error for a process of which only some threads are restricted. */
export function diverged({ tid, name, errno }: Broadcast): LandlockError {
  const who = tid === 0 ? "a thread" : `thread ${named(tid, name)}`;
  const why =
    errno > 0
      ? `landlock_restrict_self on ${who} failed with ${errnoName(errno)}`
      : `${who} did not restrict itself`;
  return new LandlockError(
    "ERR_LANDLOCK_THREADS_DIVERGED",
    `Only some threads are restricted: ${why}; end the process`,
    { syscall: "landlock_restrict_self", errno: errno || undefined, processChanged: true },
  );
}

/** A thread's id, and its name if `/proc` could be read. */
function named(tid: number, name: string): string {
  return name === "" ? `${tid}` : `${tid} ("${name}")`;
}
