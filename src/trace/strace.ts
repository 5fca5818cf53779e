/** Runs a command under strace(1) and hands its lines on as they come. */
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

/** How a command is to be run. */
export interface RunOptions {
  /** Default: the current directory. */
  readonly cwd?: string;
  /** Default: the environment of this process. */
  readonly env?: Record<string, string | undefined>;
  /** Where standard input, output and error go; default: where those of this process do. */
  readonly stdio?: [
    "inherit" | "ignore" | "pipe" | Bun.BunFile,
    "inherit" | "ignore" | "pipe" | Bun.BunFile,
    "inherit" | "ignore" | "pipe" | Bun.BunFile,
  ];
  /** Descriptors above 2 that the command gets too. */
  readonly fds?: readonly number[];
}

/** A command that runs under strace. */
export interface Run {
  /** What strace prints, line by line. */
  readonly lines: AsyncIterable<string>;
  /** How strace ended: as the command, unless it was killed. */
  readonly ending: Promise<Ending>;
  /** strace itself, for its pipes. */
  readonly child: Bun.Subprocess;
  /** What the lines go through, and who writes and reads them. */
  readonly tracing: Tracing;
  /** Kills strace and all that it traces. */
  kill(): void;
}

/**
 * `--decode-fds` shows what descriptors are open on; no text but paths is printed. Names are
 * printed in hexadecimal, so no byte of one can be taken for syntax. The filter makes the kernel
 * stop the command for these calls only. A `?` lets go of calls that this CPU lacks. The end of
 * what a signal kills is only printed with that signal; the frequent ones that kill nothing are not.
 * The addresses of sendmmsg(2) stand in a list, which would be left out.
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
 * Starts a command under strace; all its threads and children are followed. Its input and output
 * are untouched, and so are its arguments.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where there is no strace, or a word of the command
 *   is not UTF-8; `ERR_LANDLOCK_SYSCALL` where strace cannot be started
 */
export function start(command: readonly string[], options: RunOptions = {}): Run {
  const strace = findStrace();
  const ends = pipe();
  if (typeof ends === "number") throw syscallError("Cannot start strace", "pipe2", -ends);
  const [reader, writer] = ends;
  const guard = startGuard();
  try {
    // No name in a folder that could be left behind; only the writing end ends the lines.
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

/** Starts a program that ignores these signals: `Bun.spawn()` resets all of them. */
function ignoring(signals: readonly number[]): string[] {
  if (signals.length === 0) return [];
  return ["/bin/sh", "-c", `trap '' ${signals.join(" ")}; exec "$@"`, "sh"];
}

const inherited = ["inherit", "inherit", "inherit"] as const;

/** An entry for each descriptor from 3 on: itself, or nothing. */
function passedOn(fds: readonly number[]): (number | null)[] {
  const last = Math.max(2, ...fds);
  return Array.from({ length: last - 2 }, (_, at) => (fds.includes(at + 3) ? at + 3 : null));
}
