/**
 * Watches what a command does, as far as Landlock looks at it, by way of strace(1).
 */
import { LandlockError } from "../errors/errors.ts";
import { currentDirectory, linkTarget } from "../kernel/names.ts";
import { Caveats } from "./caveats.ts";
import { Lines } from "./line.ts";
import { targetFrom } from "./objects.ts";
import type { Ending, Observation } from "./observation.ts";
import { Signals } from "./signals.ts";
import { start, type Run, type RunOptions } from "./strace.ts";
import { Tasks } from "./tasks.ts";
import type { Target } from "./value.ts";

/** A command that is being watched. */
interface Watched extends AsyncIterable<Observation> {
  /** How it ended; known once all observations were taken. */
  readonly ending: Promise<Ending>;
  /** What its pipes are on, where `stdio` asks for them. */
  readonly child: Bun.Subprocess;
  /** What went wrong because the command is watched, in sentences. */
  caveats(): readonly string[];
}

/**
 * Runs a command and tells what it does, all threads and children included, as it does it. The
 * observations have to be taken, or the command waits. Meanwhile signals to this process go to the
 * command; whoever stops taking observations kills it.
 *
 * @param command A path or a name on PATH, and its arguments
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where there is no strace; while the observations are
 *   taken, `ERR_LANDLOCK_BLOCKED` where strace could not trace
 */
export function observe(command: readonly string[], options: RunOptions = {}): Watched {
  const caveats = new Caveats(options.fds ?? []);
  const tasks = new Tasks(options.cwd ?? currentDirectory(), inheritedFiles(options));
  let run: Run | undefined;
  // Before the command starts: a signal that comes in between would leave it behind.
  const signals = new Signals(tasks, () => run?.kill());
  try {
    run = start(command, options);
  } catch (error) {
    signals.end();
    throw error;
  }
  const { lines, child, kill } = run;
  tasks.tracing = run.tracing;
  const ending = run.ending.then((ofStrace) => tasks.ending ?? ofStrace);
  async function* observations(): AsyncGenerator<Observation> {
    const parser = new Lines();
    let isWhole = false;
    try {
      for await (const text of lines) {
        const line = parser.read(text);
        if (line?.kind === "signal") signals.notice(line.pid, line.signal);
        for (const one of line ? tasks.follow(line) : []) {
          caveats.add(one);
          yield one;
        }
        signals.update();
      }
      isWhole = true;
      yield* tasks.finish();
    } finally {
      if (!isWhole) kill();
      signals.end();
    }
    if (tasks.first === undefined) throw blocked();
    const error = tasks.isOver ? undefined : await lost(run!, tasks);
    if (error) throw error;
  }
  return {
    [Symbol.asyncIterator]: observations,
    ending,
    child,
    caveats: () => caveats.notes(),
  };
}

/** What the command's descriptors are open on: those that it has from this process. */
function inheritedFiles({ stdio, fds = [] }: RunOptions): Map<number, Target> {
  const standard = [0, 1, 2].filter((fd) => (stdio?.[fd] ?? "inherit") === "inherit");
  return new Map(
    [...standard, ...fds].flatMap((fd): [number, Target][] => {
      try {
        return [[fd, targetFrom(linkTarget(`/proc/self/fd/${fd}`))]];
      } catch {
        return [];
      }
    }),
  );
}

/** Ends a command that strace no longer traces, if there is one: its calls would fail with ENOSYS. */
async function lost(run: Run, { running }: Tasks): Promise<LandlockError | undefined> {
  const killed = running.filter((pid) => {
    try {
      return process.kill(pid, "SIGKILL");
    } catch {
      return false;
    }
  });
  if (killed.length === 0) return undefined;
  const { signal, exitCode } = await run.ending;
  return new LandlockError(
    "ERR_LANDLOCK_SYSCALL",
    `strace ended before the command, by ${signal ?? `status ${exitCode}`}, so the command was killed: run it again`,
  );
}

function blocked(): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_BLOCKED",
    "strace saw nothing: allow ptrace(2), which a container's seccomp profile or kernel.yama.ptrace_scope may forbid",
  );
}
