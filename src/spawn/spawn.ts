/**
 * Starts commands through the launcher, which restricts itself and then executes the command. So
 * the parent stays unrestricted, and the sandbox needs no rule for the launcher.
 */
import { LandlockError, syscallError } from "../errors/errors.ts";
import { maskOf, restrictFlags, type RestrictFlag } from "../kernel/abi.ts";
import { defaultPath, lookUpCommand, lookUpError } from "../kernel/lookup.ts";
import { close, eventfd, pipe, readFile, readInto } from "../kernel/syscalls.ts";
import type { Call } from "./call.ts";
import { holdBack } from "./callbacks.ts";
import { launchError, startError } from "./failure.ts";
import { findLauncher, lastingPath } from "./launcher.ts";

/** `struct launch_failure` of `lib/launcher.c`: int32 step, int32 errno. */
const failureBytes = 8;

/** `Bun.spawn()` inside a ruleset. */
export function spawn(rulesetFd: number, flags: readonly RestrictFlag[], call: Call) {
  // Bun would append the channel after the launcher's descriptors.
  const { ipc } = call.others;
  const isListed = call.stdio.indexOf("ipc", 3) >= 0;
  const stdio = typeof ipc === "function" && !isListed ? [...call.stdio, "ipc"] : call.stdio;
  const callbacks = holdBack(call.others);
  const launch = prepare(rulesetFd, flags, { ...call, stdio, others: callbacks.options });
  const ends = pipe();
  if (typeof ends === "number") throw launch.failed("pipe2", -ends);
  const [reader, writer] = ends;
  let child: Bun.Subprocess | undefined;
  try {
    try {
      child = launch.start(Bun.spawn, writer);
    } finally {
      close(writer);
    }
    // The pipe closes when the command starts, which is when a plain spawn would have returned.
    launch.check(reader);
  } catch (error) {
    callbacks.drop();
    if (child) discard(child, call);
    throw error;
  } finally {
    close(reader);
  }
  callbacks.release();
  hideOwn(child, stdio.length);
  return child;
}

/**
 * The eventfd in which launchers report to `spawnSync()` of the main thread; -1 before its first
 * use. It holds 8 bytes like a report, and reading empties it. Workers use one per call, since they
 * come and go.
 */
let status = -1;

/** `Bun.spawnSync()` inside a ruleset. */
export function spawnSync(rulesetFd: number, flags: readonly RestrictFlag[], call: Call) {
  const launch = prepare(rulesetFd, flags, call);
  const fd = status < 0 ? eventfd() : status;
  if (fd < 0) throw launch.failed("eventfd2", -fd);
  if (Bun.isMainThread) status = fd;
  try {
    const child: Bun.SyncSubprocess = launch.start(Bun.spawnSync, fd);
    launch.check(fd);
    return child;
  } catch (error) {
    // Empties the eventfd, so that no old report reaches the next child.
    readInto(fd, new Uint8Array(failureBytes));
    throw error;
  } finally {
    if (fd !== status) close(fd);
  }
}

function prepare(rulesetFd: number, flags: readonly RestrictFlag[], call: Call) {
  const { command, argv0, cwd, env, stdio, others } = call;
  const name = command[0]!;
  const path = resolveCommand(name, call);
  const childFd = stdio.length;
  const isOtherUser = (others.uid ?? others.gid) !== undefined;
  const launcher = findLauncher(childFd + 2, isOtherUser);
  // The launcher has only one thread, and it always sets no_new_privs itself.
  const logging = flags.filter((flag) => flag !== "tsync" && flag !== "no_new_privs");
  const argv = [launcher.path, `${childFd}`, `${maskOf(logging, restrictFlags)}`, path];
  argv.push(argv0 ?? name, ...command.slice(1));
  return {
    start<Child>(run: (argv: string[], options: never) => Child, statusFd: number): Child {
      const own = [rulesetFd, statusFd, ...launcher.handed];
      refuseOwn(name, stdio, own);
      const options = { ...others, argv0: undefined, cwd, env, stdio: [...stdio, ...own] };
      try {
        return run(argv, options as never);
      } catch (cause) {
        throw startError(path, call, cause);
      }
    },
    check(statusFd: number) {
      const failure = new Uint8Array(new ArrayBuffer(failureBytes));
      if (readInto(statusFd, failure) < failureBytes) return;
      const [step, errno] = new Int32Array(failure.buffer);
      throw launchError(path, cwd, step!, errno!);
    },
    failed: (syscall: string, errno: number) =>
      syscallError(`Cannot start "${name}"`, syscall, errno),
  };
}

/** The program's path for execve(2) in the child's working directory. */
function resolveCommand(name: string, call: Call): string {
  const { env, cwd } = call;
  // Avoids reading a file: a path needs no PATH.
  const PATH = name.includes("/") ? "" : env ? env["PATH"] : initialPath();
  // Bun ignores an empty PATH.
  const path = lookUpCommand(name, PATH || defaultPath, cwd);
  if (typeof path === "string") {
    return lastingPath(path === name ? path : absolute(path, cwd), call);
  }
  throw lookUpError(`Cannot start "${name}"`, name, path);
}

/** Makes a path from a relative PATH entry absolute, as Bun does. */
function absolute(path: string, cwd = ""): string {
  if (path.startsWith("/")) return path;
  const from = cwd.startsWith("/") ? cwd : `${process.cwd()}/${cwd}`;
  return `${from}/${path}`;
}

/**
 * The PATH of a child without an `env`: the one that this process was started with, which Bun
 * passes on even if `process.env` has changed.
 */
function initialPath(): string | undefined {
  const environment = new TextDecoder().decode(readFile("/proc/self/environ"));
  const entry = environment.split("\0").find((one) => one.startsWith("PATH="));
  // Used if PATH comes from an .env file or /proc can't be read.
  return entry?.slice("PATH=".length) ?? process.env["PATH"];
}

/**
 * Refuses to pass the launcher's descriptors to a child. With the ruleset, a child could grant more
 * to later children.
 */
function refuseOwn(name: string, stdio: readonly unknown[], own: readonly number[]): void {
  for (let i = 0; i < stdio.length; i++) {
    const fd = stdio[i] === "inherit" ? i : stdio[i];
    if (typeof fd !== "number" || !own.includes(fd)) continue;
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_RULE",
      `Cannot start "${name}": stdio[${i}] is descriptor ${fd}, which belongs to bun-landlock; name one of your own`,
    );
  }
}

/** Hides the launcher's descriptors from `child.stdio`. */
function hideOwn(child: Bun.Subprocess, count: number): void {
  Object.defineProperty(child, "stdio", {
    get: () => stdioOf(child).slice(0, count),
    configurable: true,
  });
}

function stdioOf(child: Bun.Subprocess): Bun.Subprocess["stdio"] {
  return Reflect.get(Object.getPrototypeOf(child) as object, "stdio", child);
}

/** Closes what belongs to a child that the caller never receives. */
function discard(child: Bun.Subprocess, { stdio, others }: Call): void {
  if (!(others.terminal instanceof Bun.Terminal)) child.terminal?.close();
  if (!stdio.includes("socket-fd")) return;
  // Bun closes its ends of other pipes itself, unless code asked for their numbers.
  const isOpened = (entry: unknown) =>
    entry === "socket-fd" || entry === "pipe" || entry === "ipc" || ArrayBuffer.isView(entry);
  for (const [i, fd] of stdioOf(child).entries()) {
    if (typeof fd === "number" && isOpened(stdio[i])) close(fd);
  }
}
