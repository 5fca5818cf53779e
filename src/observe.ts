/**
 * Watches what a command does, as far as Landlock looks at it, by way of strace(1). In the published
 * bundle this and `observe/` are evaluated on first use: see `src/bundle.ts`.
 */
import { LandlockError } from "./errors.ts";
import { explainRun, type ExplainRequest } from "./observe/explain.ts";
import { Lines } from "./observe/line.ts";
import type { Ending, Observation } from "./observe/observation.ts";
import { start, type RunOptions } from "./observe/strace.ts";
import { Tasks } from "./observe/tasks.ts";

export type {
  Attempt,
  Ending,
  Gap,
  Observation,
  Restriction,
  TerminalUse,
} from "./observe/observation.ts";

/** A command that is being watched. */
export interface Watched extends AsyncIterable<Observation> {
  /** How it ended; known once all observations were taken. */
  readonly ending: Promise<Ending>;
  /** What its pipes are on, where `stdio` asks for them. */
  readonly child: Bun.Subprocess;
  /** Sends a signal to the command's first process. */
  kill(signal: NodeJS.Signals): void;
}

/**
 * Runs a command and tells what it does, all threads and children included, as it does it. The
 * observations have to be taken, or the command waits.
 *
 * @param command A path or a name on PATH, and its arguments
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where there is no strace; while the observations are
 *   taken, `ERR_LANDLOCK_BLOCKED` where strace could not trace
 */
export function observe(command: readonly string[], options: RunOptions = {}): Watched {
  const { lines, ending, child } = start(command, options);
  const tasks = new Tasks(options.cwd ?? process.cwd());
  // A signal for a command whose first line is still to come.
  let waiting: NodeJS.Signals | undefined;
  const kill = (signal: NodeJS.Signals) => {
    waiting = signal;
    if (tasks.first === undefined) return;
    waiting = undefined;
    process.kill(tasks.first, signal);
  };
  async function* observations(): AsyncGenerator<Observation> {
    const parser = new Lines();
    for await (const text of lines) {
      const line = parser.read(text);
      if (line) yield* tasks.follow(line);
      if (waiting) kill(waiting);
    }
    yield* tasks.finish();
    if (tasks.first === undefined) throw blocked();
  }
  return {
    [Symbol.asyncIterator]: observations,
    ending,
    child,
    kill,
  };
}

/**
 * Runs a command in its sandbox; says on standard error what was denied, and what would allow it.
 *
 * @returns How the command ended
 * @throws {LandlockError} As `observe()` does, and as `Config.plan()` does
 */
export function explainCommand(request: ExplainRequest): Promise<Ending> {
  return explainRun(request, observe);
}

function blocked(): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_BLOCKED",
    "strace saw nothing: allow ptrace(2), which a container's seccomp profile or kernel.yama.ptrace_scope may forbid",
  );
}
