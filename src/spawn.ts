/**
 * Starts commands through the launcher: the native library run as a program, from memory. It
 * restricts itself and becomes the command, so that the parent needs no restriction and the
 * sandbox no rule for the launcher.
 */
import { encodeFlags } from "./enforce.ts";
import { errnoName, LandlockError, syscallError } from "./errors.ts";
import type { RestrictFlag } from "./kernel/abi.ts";
import { lookUpCommand, lookUpError } from "./kernel/lookup.ts";
import { launcherImage } from "./kernel/memory.ts";
import { close, eventfd, pipe, readInto, readLink } from "./kernel/syscalls.ts";

type Readable = Bun.SpawnOptions.Readable;
type Writable = Bun.SpawnOptions.Writable;

const E2BIG = 7;

/** `enum launch_step` of `lib/launcher.c`. */
const STEP_USAGE = 1;
const STEP_EXEC = 3;
/** `struct launch_failure` of `lib/launcher.c`: int32 step, int32 errno. */
const failureBytes = 8;

/** The path of the launcher in memory. */
let launcher: string | undefined;

/**
 * Where launchers report to `spawnSync()`, one after the other; -1: there was none yet. An eventfd
 * holds 8 bytes, as a report has, and is empty again once they are read: it lives on, where a
 * pipe would be made and closed for every child.
 */
let status = -1;

/** The launcher in memory: it needs no exec bit, no path and no rule. */
function launcherPath(): string {
  if (launcher !== undefined) return launcher;
  // Not process.pid: this may be the /proc of another pid namespace, where that is somebody else.
  const self = readLink("/proc/self");
  if (self === undefined) {
    const message = "Cannot start the launcher: this process is not in /proc; mount it";
    throw new LandlockError("ERR_LANDLOCK_NATIVE", message, { path: "/proc/self" });
  }
  // By process id: in the child the number may be a descriptor of its own by then.
  return (launcher = `/proc/${self}/fd/${launcherImage()}`);
}

/** `Bun.spawn()` inside a ruleset. */
export function spawn<In extends Writable, Out extends Readable, Err extends Readable>(
  rulesetFd: number,
  flags: readonly RestrictFlag[],
  command: string[],
  options: Bun.SpawnOptions.SpawnOptions<In, Out, Err> = {},
): Bun.Subprocess<In, Out, Err> {
  const launch = prepare(rulesetFd, flags, command, options, "inherit");
  const ends = pipe();
  if (typeof ends === "number") {
    throw syscallError(`Cannot start "${command[0]}"`, "pipe2", -ends);
  }
  const [reader, writer] = ends;
  try {
    let child;
    try {
      child = launch.start(Bun.spawn, writer);
    } finally {
      close(writer);
    }
    // The pipe closes when the command starts, as soon as a plain spawn would have returned.
    launch.check(reader);
    return child as Bun.Subprocess<In, Out, Err>;
  } finally {
    close(reader);
  }
}

/** `Bun.spawnSync()` inside a ruleset. */
export function spawnSync<In extends Writable, Out extends Readable, Err extends Readable>(
  rulesetFd: number,
  flags: readonly RestrictFlag[],
  command: string[],
  options: Bun.SpawnOptions.SpawnSyncOptions<In, Out, Err> = {},
): Bun.SyncSubprocess<Out, Err> {
  const launch = prepare(rulesetFd, flags, command, options, "pipe");
  if (status < 0) status = eventfd();
  if (status < 0) throw syscallError(`Cannot start "${command[0]}"`, "eventfd2", -status);
  let child;
  try {
    child = launch.start(Bun.spawnSync, status);
  } catch (error) {
    // What a launcher has reported all the same is not for the next child.
    readInto(status, new Uint8Array(failureBytes));
    throw error;
  }
  launch.check(status);
  return child as Bun.SyncSubprocess<Out, Err>;
}

/** What the options of both functions have in common. */
type Options = Bun.SpawnOptions.SpawnSyncOptions<Writable, Readable, Readable>;

function prepare(
  rulesetFd: number,
  flags: readonly RestrictFlag[],
  command: string[],
  options: Options | Bun.SpawnOptions.SpawnOptions<Writable, Readable, Readable>,
  stderr: Readable,
) {
  const [name] = command;
  const path = resolveCommand(name, options);
  const program = launcherPath();
  const stdio: unknown[] = options.stdio
    ? [...options.stdio]
    : [options.stdin ?? "ignore", options.stdout ?? "pipe", options.stderr ?? stderr];
  const childFd = stdio.length;
  // One thread only in there, and no_new_privs is set in any case.
  const logging = flags.filter((flag) => flag !== "tsync" && flag !== "no_new_privs");
  const { stdin: _in, stdout: _out, stderr: _err, argv0, ...others } = options;
  const argv = [program, `${childFd}`, `${encodeFlags(logging)}`, path];
  argv.push(argv0 ?? name!, ...command.slice(1));
  return {
    start<Child>(run: (argv: string[], options: never) => Child, statusFd: number): Child {
      try {
        return run(argv, { ...others, stdio: [...stdio, rulesetFd, statusFd] } as never);
      } catch (cause) {
        throw startError(path, cause);
      }
    },
    check(statusFd: number) {
      const failure = new Uint8Array(new ArrayBuffer(failureBytes));
      if (readInto(statusFd, failure) < failureBytes) return;
      const [step, errno] = new Int32Array(failure.buffer);
      throw launchError(path, step!, errno!);
    },
  };
}

/** The program's path, found as execvp(3) finds it from the child's working directory. */
function resolveCommand(name: string | undefined, options: Options): string {
  if (typeof name !== "string" || name === "") {
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_RULE",
      'There is no command to start: give a list like ["ls", "-l"]',
    );
  }
  const path = lookUpCommand(name, options.env?.["PATH"] ?? process.env["PATH"], options.cwd);
  if (typeof path === "string") return path;
  throw lookUpError(`Cannot start "${name}"`, name, path);
}

/** `Bun.spawn()` itself failed, before the launcher ran: its error names the launcher's path. */
function startError(path: string, cause: unknown): unknown {
  const { code, errno } = cause as { code?: string; errno?: number };
  if (code === undefined || errno === undefined) return cause;
  const fix =
    code === "EACCES"
      ? 'inside a sandbox, grant rwFiles("/dev/null") or give a stdin of your own, for Bun opens it when stdin is ignored'
      : "check the cwd, the descriptors and the limits that it gets, and that /proc is there";
  return new LandlockError("ERR_LANDLOCK_PATH", `Cannot start "${path}": ${code}; ${fix}`, {
    errno: Math.abs(errno),
    path,
    cause,
  });
}

function launchError(path: string, step: number, errno: number): LandlockError {
  const syscall = step === STEP_USAGE ? "fcntl" : "landlock_restrict_self";
  const name = errnoName(errno);
  if (step === STEP_EXEC) {
    const fix =
      name === "EACCES"
        ? "make it executable, and grant execute on it, its interpreter and its libraries, as with presets.executable()"
        : "correct the path, or grant its interpreter";
    return new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot start "${path}" inside the sandbox: execve failed with ${name}; ${fix}`,
      { syscall: "execve", errno, path },
    );
  }
  if (errno !== E2BIG) return syscallError(`Cannot start "${path}"`, syscall, errno);
  return new LandlockError(
    "ERR_LANDLOCK_TOO_MANY_LAYERS",
    `Cannot start "${path}": 16 rulesets are in force already, the kernel's limit; put the rules into fewer layers`,
    { syscall, errno },
  );
}
