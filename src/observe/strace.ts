/** Runs a command under strace(1) and hands its lines on as they come. */
import { closeSync, constants, createReadStream, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { LandlockError } from "../errors.ts";
import { fileCalls } from "./calls.ts";
import type { Ending } from "./observation.ts";
import { otherCalls } from "./sockets.ts";
import { followedCalls } from "./tasks.ts";

/** How a command is to be run. */
export interface RunOptions {
  /** Default: the current directory. */
  readonly cwd?: string;
  /** Default: the environment of this process. */
  readonly env?: Record<string, string | undefined>;
  /** Where standard input, output and error go; default: where those of this process do. */
  readonly stdio?: [
    "inherit" | "ignore" | Bun.BunFile,
    "inherit" | "ignore" | "pipe" | Bun.BunFile,
    "inherit" | "ignore" | "pipe" | Bun.BunFile,
  ];
}

/** A command that runs under strace. */
export interface Run {
  /** What strace prints, line by line. */
  readonly lines: AsyncIterable<string>;
  /** How the command ended, which strace ends as. */
  readonly ending: Promise<Ending>;
  /** strace itself, for its pipes. */
  readonly child: Bun.Subprocess;
}

/**
 * `--decode-fds` shows what descriptors are open on; no text but paths is printed. Names are
 * printed in hexadecimal, so no byte of one can be taken for syntax. The filter makes the kernel
 * stop the command for these calls only. A `?` lets go of calls that this CPU lacks.
 */
function argumentsFor(output: string): string[] {
  const calls = [...fileCalls, ...otherCalls, ...followedCalls].map((name) => `?${name}`);
  return [
    ...["--follow-forks", "--seccomp-bpf", "--output", output],
    ...[
      "--decode-fds=all",
      "--string-limit=0",
      "-xx",
      "--quiet=attach,personality,path-resolution",
    ],
    ...["--signal=none", `--trace=${calls.join(",")}`],
  ];
}

/**
 * Starts a command under strace; all its threads and children are followed. Its input and output
 * are untouched, and so are its arguments.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where there is no strace
 */
export function start(command: readonly string[], options: RunOptions = {}): Run {
  const strace = Bun.which("strace", { PATH: process.env["PATH"] ?? "" });
  if (strace === null) {
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      "Cannot find the program strace, which shows what a command does: install it, as with apt-get install strace",
      { path: "strace" },
    );
  }
  const folder = makeFolder();
  try {
    const fifo = join(folder, "lines");
    makeFifo(fifo);
    // Both ends at once: neither opening waits, and the lines end once strace and this are closed.
    const holder = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const reader = openSync(fifo, constants.O_RDONLY);
    const child = Bun.spawn([strace, ...argumentsFor(fifo), "--", ...command], {
      stdio: options.stdio ?? ["inherit", "inherit", "inherit"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      onExit: () => {
        closeSync(holder);
        rmSync(folder, { recursive: true, force: true });
      },
    });
    const input = createReadStream("", { fd: reader, encoding: "latin1" });
    return {
      lines: createInterface({ input, crlfDelay: Infinity }),
      ending: child.exited.then(() => ({
        exitCode: child.signalCode === null ? child.exitCode : null,
        signal: child.signalCode as NodeJS.Signals | null,
      })),
      child,
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function makeFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "landlock-trace-"));
  } catch (cause) {
    const { code } = cause as { code?: string };
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot make a folder in ${JSON.stringify(tmpdir())}: ${code}; set TMPDIR to one where that is possible`,
      { path: tmpdir(), cause },
    );
  }
}

function makeFifo(path: string): void {
  const done = Bun.spawnSync(["mkfifo", "-m", "600", path], { stderr: "pipe" });
  if (done.success) return;
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot make a FIFO in ${JSON.stringify(tmpdir())}: ${done.stderr.toString().trim()}; set TMPDIR to a folder where that is possible`,
    { path },
  );
}
