/** Watches the operations of a command that Landlock checks, using strace(1). */
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
  /** How the command ended; settles after all observations were read. */
  readonly ending: Promise<Ending>;
  /** The process whose pipes carry the command's input and output, if `stdio` asks for pipes. */
  readonly child: Bun.Subprocess;
  /** What went wrong because the command was watched, in sentences. */
  caveats(): readonly string[];
}

/**
 * Runs a command and yields what all its threads and children do, as it happens. The command waits
 * if the observations aren't read, and ends if the reader stops. Signals to this process go to the
 * command.
 *
 * @param command A path or a name on PATH, and its arguments
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if strace isn't installed; while observations are
 *   read, `ERR_LANDLOCK_BLOCKED` if strace could not trace
 */
export function observe(command: readonly string[], options: RunOptions = {}): Watched {
  const caveats = new Caveats(options.fds ?? []);
  const tasks = new Tasks(options.cwd ?? currentDirectory(), inheritedFiles(options));
  let run: Run | undefined;
  // Created before the command starts, so that a signal in between can't leave the command running.
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

/** The files that the command's descriptors inherit from this process. */
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

/** Kills a command that strace no longer traces. Its calls would otherwise fail with ENOSYS. */
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
    `Cannot trace the command to its end: strace ended with ${signal ?? `status ${exitCode}`}, so the command was killed; run it again`,
  );
}

function blocked(): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_BLOCKED",
    "Cannot trace the command: ptrace(2) is forbidden; allow it in the container's seccomp profile and in kernel.yama.ptrace_scope",
  );
}
