/** The errors of `spawn()` and `spawnSync()`. */
import { E2BIG } from "../errors/errno.ts";
import { errnoName, LandlockError, syscallError } from "../errors/errors.ts";
import { executeError } from "../kernel/refused.ts";
import { mayExecute } from "../kernel/syscalls.ts";
import type { Call } from "./call.ts";

/** `enum launch_step` of `lib/launcher.c`. */
const STEP_USAGE = 1;
const STEP_EXEC = 3;

/**
 * The error for a failure of `Bun.spawn()` before the launcher ran. Bun's own error names the
 * launcher.
 */
export function startError(path: string, call: Call, cause: unknown): unknown {
  const { code, errno } = cause as { code?: unknown; errno?: unknown };
  if (typeof code !== "string" || typeof errno !== "number") return cause;
  const message = `Cannot start "${path}": ${code}; ${startFix(code, call)}`;
  return new LandlockError("ERR_LANDLOCK_PATH", message, { errno: Math.abs(errno), path, cause });
}

function startFix(code: string, { cwd, stdio, others }: Call): string {
  if (cwd !== undefined) {
    const entered = mayExecute(`${cwd}/.`);
    if (entered < 0 && errnoName(-entered) === code) {
      return `the working directory "${cwd}" cannot be entered; create it, or correct cwd`;
    }
  }
  if (others.cgroup !== undefined && code !== "EPERM") {
    return "check that cgroup names a control group that this user may move processes to";
  }
  const isOtherUser = others.uid !== undefined || others.gid !== undefined;
  switch (code) {
    case "EPERM":
      return isOtherUser
        ? "another user or group needs CAP_SETUID and CAP_SETGID; run as root, or leave out uid and gid"
        : "check what this user may do";
    case "EINVAL":
      return isOtherUser ? "correct uid and gid" : "check its stdio";
    case "EBADF":
      return "stdio names a descriptor that is not open; open it, or leave it out";
    case "E2BIG":
      return "shorten its arguments and environment";
    case "EACCES":
      return [undefined, null, "ignore"].includes(stdio[0] as undefined)
        ? 'inside a sandbox, grant rwFiles("/dev/null") or give a stdin of your own, because Bun opens /dev/null for an ignored stdin'
        : "check that this user may use its files and its working directory";
    case "ENOENT":
      return "check that its files, its working directory and /proc are there";
    default:
      return "check the descriptors and limits that it gets";
  }
}

/** The error that the launcher reported. */
export function launchError(path: string, cwd: string | undefined, step: number, errno: number) {
  if (step === STEP_EXEC) {
    return executeError(`Cannot start "${path}" inside the sandbox`, path, errno, cwd);
  }
  const syscall = step === STEP_USAGE ? "fcntl" : "landlock_restrict_self";
  if (errno !== E2BIG) return syscallError(`Cannot start "${path}"`, syscall, errno);
  return new LandlockError(
    "ERR_LANDLOCK_TOO_MANY_LAYERS",
    `Cannot start "${path}": 16 rulesets are in force already, the kernel's limit; put the rules into fewer layers`,
    { syscall, errno },
  );
}
