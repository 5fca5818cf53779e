/** Runs a command under strace(1) and reads its output line by line. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { LandlockError, printable, syscallError } from "../errors/errors.ts";
import { ignoredSignals } from "../kernel/inherited.ts";
import { linkTarget } from "../kernel/names.ts";
import { close, pipe } from "../kernel/syscalls.ts";
import { fileCalls } from "./calls.ts";
import { findStrace } from "./find.ts";
import { startGuard } from "./guard.ts";
import type { Ending } from "./observation.ts";
import { otherCalls } from "./sockets.ts";
import { followedCalls, type Tracing } from "./tasks.ts";

/** How to run a command. */
export interface RunOptions {
  /** Default: the current directory. */
  readonly cwd?: string;
  /** Default: the environment of this process. */
  readonly env?: Record<string, string | undefined>;
  /** Standard input, output and error; default: those of this process. */
  readonly stdio?: [
    "inherit" | "ignore" | "pipe" | Bun.BunFile,
    "inherit" | "ignore" | "pipe" | Bun.BunFile,
    "inherit" | "ignore" | "pipe" | Bun.BunFile,
  ];
  /** Descriptors above 2 that the command inherits. */
  readonly fds?: readonly number[];
}

/** A command that runs under strace. */
export interface Run {
  /** The output of strace, line by line. */
  readonly lines: AsyncIterable<string>;
  /** How strace ended. It ends like the command unless it was killed itself. */
  readonly ending: Promise<Ending>;
  /** The strace process, for its pipes. */
  readonly child: Bun.Subprocess;
  /** The pipe of the trace, and the processes that write and read it. */
  readonly tracing: Tracing;
  /** Kills strace and its traced processes. */
  kill(): void;
}

/**
 * `--decode-fds` shows the file of each descriptor, and `--string-limit=0` omits all text but
 * paths. `-xx` prints names in hexadecimal, so their bytes can't be mistaken for syntax.
 * `--seccomp-bpf` stops the command for these calls only, and a leading `?` skips calls that this
 * CPU lacks. strace shows the end of a killed process only if its signal isn't filtered. So
 * `--signal` only filters frequent signals that kill nothing. `--abbrev=!sendmmsg` keeps the list
 * of its addresses.
 */
function argumentsFor(output: string): string[] {
  const calls = [...fileCalls, ...otherCalls, ...followedCalls].map((name) => `?${name}`);
  return [
    ...["--follow-forks", "--seccomp-bpf", "--output", output],
    ...["--decode-fds=all", "--string-limit=0", "--abbrev=!sendmmsg", "-xx"],
    ...["--quiet=attach,personality,path-resolution"],
    ...["--signal=!SIGCHLD,SIGURG,SIGPROF,SIGPWR", `--trace=${calls.join(",")}`],
  ];
}

/**
 * Starts a command under strace, including all its threads and children. Its input, output and
 * arguments stay unchanged.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if strace isn't installed or a word of the command
 *   isn't UTF-8; `ERR_LANDLOCK_SYSCALL` if strace can't be started
 */
export function start(command: readonly string[], options: RunOptions = {}): Run {
  const strace = findStrace();
  const ends = pipe();
  if (typeof ends === "number") throw syscallError("Cannot start strace", "pipe2", -ends);
  const [reader, writer] = ends;
  const guard = startGuard();
  try {
    // Using the descriptor's path leaves no file behind. Only closing the writing end ends the
    // lines.
    const output = `/proc/${linkTarget("/proc/self")}/fd/${writer}`;
    const traced = [strace, ...argumentsFor(output), "--", ...command];
    const child = Bun.spawn([...ignoring(ignoredSignals()), ...traced], {
      stdio: [...(options.stdio ?? inherited), ...passedOn(options.fds ?? [])],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      onExit: () => {
        close(writer);
        guard.end();
      },
    });
    guard.watch(child.pid);
    const input = createReadStream("", { fd: reader, encoding: "latin1" });
    return {
      lines: createInterface({ input, crlfDelay: Infinity }),
      ending: child.exited.then(() => ({
        exitCode: child.signalCode === null ? child.exitCode : null,
        signal: child.signalCode as NodeJS.Signals | null,
      })),
      child,
      tracing: { pipe: linkTarget(output), processes: [process.pid, child.pid] },
      kill: guard.kill,
    };
  } catch (error) {
    close(reader);
    close(writer);
    guard.end();
    if (error instanceof LandlockError) throw error;
    const { code, message } = error as { code?: string; message?: string };
    throw new LandlockError(
      "ERR_LANDLOCK_SYSCALL",
      `Cannot start strace: ${printable(code ?? message ?? String(error))}; see its manual page`,
      { cause: error },
    );
  }
}

/**
 * Starts a program through a shell that ignores these signals, because `Bun.spawn()` resets them.
 */
function ignoring(signals: readonly number[]): string[] {
  if (signals.length === 0) return [];
  return ["/bin/sh", "-c", `trap '' ${signals.join(" ")}; exec "$@"`, "sh"];
}

const inherited = ["inherit", "inherit", "inherit"] as const;

/** An entry for each descriptor from 3 on: the descriptor itself, or null. */
function passedOn(fds: readonly number[]): (number | null)[] {
  const last = Math.max(2, ...fds);
  return Array.from({ length: last - 2 }, (_, at) => (fds.includes(at + 3) ? at + 3 : null));
}
