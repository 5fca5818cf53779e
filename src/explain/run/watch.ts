/** Runs a command in its sandbox, under strace(1), and finds out what was denied. */
import type { Config } from "../../sandbox/config.ts";
import { printable } from "../../errors/errors.ts";
import { machineFiles } from "../../model/files.ts";
import { layerOf } from "../../model/layer.ts";
import type { Operation } from "../../model/operation.ts";
import { currentDirectory } from "../../kernel/names.ts";
import { probe } from "../../kernel/probe.ts";
import { isBun } from "../../advise/bun.ts";
import { Coverage } from "../../advise/coverage.ts";
import { isHarmlessProbe } from "../../advise/judgement.ts";
import { Places, startOfRun } from "../../advise/places.ts";
import { surroundings } from "../../advise/surroundings.ts";
import type { Rule } from "../../sandbox/rules.ts";
import { writeError } from "../../terminal/output.ts";
import { adviseOn, nothingToAdd, placeOf } from "./advice.ts";
import { BarredLog } from "./barred-log.ts";
import { Changes } from "../../trace/changes.ts";
import { failureLog } from "./denied.ts";
import type { Findings } from "./findings.ts";
import { notesOn } from "./notes.ts";
import type { Attempt, Ending, Observation } from "../../trace/observation.ts";
import { observe } from "../../trace/observe.ts";
import { permitted } from "../ordinary.ts";
import { filesOfProcesses } from "../../trace/processes.ts";
import { Trial } from "./trial.ts";

/** A command line of `landlock-restrict explain`, read. */
export interface ExplainRequest {
  /** `landlock-restrict` itself, with the words that make it run the command in its sandbox. */
  readonly command: readonly string[];
  readonly config: Config;
  readonly rules: readonly Rule[];
  /** Descriptors that the command gets besides 0, 1 and 2. */
  readonly fds: readonly number[];
}

/** What this program is called, before it becomes the command. */
const ownName = "landlock-restrict";

/** errnos that a denial has. */
const errnos = ["EACCES", "EPERM", "EXDEV"];

/** How a command ended, and what was found; nothing if it did not begin. */
interface Watched {
  readonly ending: Ending;
  readonly findings?: Findings;
}

/**
 * Runs the command and finds out what was denied, once it has ended.
 *
 * @throws {LandlockError} As `Config.plan()` and `observe()` do, before the command runs
 */
export async function watchRun(request: ExplainRequest): Promise<Watched> {
  const plan = request.config.plan(...request.rules);
  const cwd = currentDirectory();
  // Now: the command may remove directories that it was started in.
  const around = surroundings();
  let first: number | undefined;
  const files = filesOfProcesses(machineFiles, () => first);
  // Now, while the files are there that the rules are about.
  const sandbox = { layers: [layerOf(plan, files)], files, kernel: probe() };
  const started = await startOfRun();
  const began = Number(started / 1_000_000n);
  const changes = new Changes();
  const log = failureLog(
    sandbox,
    (operation) => permitted(operation, began),
    (use) => changes.madeWay(use, began),
  );
  const barred = new BarredLog(plan.handled.fs.length > 0);
  const start = new Start();
  const programs = new Set<string>();
  let lost = 0;
  const judge = (observation: Observation) => {
    first ??= observation.pid;
    if (observation.kind === "gap" && start.begun && isDenial(observation.failed)) lost++;
    if (observation.kind === "barred" && start.begun && observation.layers > 0) {
      barred.add(observation, start.nameOf(observation));
    }
    if (observation.kind !== "attempt" || !start.counts(observation)) return;
    const { failed, operation, via } = observation;
    changes.add(observation);
    const program = start.nameOf(observation);
    // This program is a Bun too, until it executes the command.
    if (operation.kind !== "execute") programs.add(observation.program ?? "");
    if (!isDenial(failed) || isHarmlessProbe(operation, program, cwd)) return;
    const failure = {
      operation: ownProc(operation, observation.process, first),
      errno: failed,
      program,
      nested: observation.layers > 1,
      ...(observation.isOther ? { isOther: true as const } : {}),
    };
    log.add(failure, { via, at: changes.count });
  };
  const run = observe(request.command, { fds: request.fds });
  // Whatever goes wrong in here, the command runs to its end.
  let problem: unknown;
  for await (const observation of run) {
    try {
      judge(observation);
    } catch (error) {
      problem ??= error;
    }
  }
  const ending = await run.ending;
  try {
    if (problem !== undefined) throw problem;
    if (start.begun) {
      const failures = log.all();
      const { denied } = failures;
      // The command may have made links to them.
      around.secrets.look();
      const already = new Coverage();
      for (const rule of request.rules) already.add(rule);
      const reads = denied.some((one) => placeOf(one).startsWith("/proc/"));
      const advice =
        ending.exitCode === 0
          ? nothingToAdd(denied)
          : adviseOn(denied, new Trial(sandbox), {
              already,
              around,
              places: new Places(started, around.tmp, true),
              bun: reads && [...programs].some(isBun),
            });
      const notes = [
        ...notesOn(failures, ending, advice.withheld, already),
        ...barred.notes(),
        ...lostNotes(lost),
        ...run.caveats(),
      ];
      const findings = { ...failures, barred: barred.all(), lost, advice, ending, notes };
      return { ending, findings };
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    writeError(`landlock-restrict: Cannot explain what was denied: ${printable(why)}\n`);
  }
  return { ending };
}

function isDenial(errno: string | undefined): errno is string {
  return errno !== undefined && errnos.includes(errno);
}

function lostNotes(count: number): string[] {
  if (count === 0) return [];
  const what = count === 1 ? "1 operation" : `${count} operations`;
  return [`${what} failed on files that cannot be told: they may be denied too.`];
}

/**
 * Where the command begins: the first process restricts itself, and then executes it. Of what
 * `landlock-restrict` does before, or after that failed, nothing counts.
 */
class Start {
  #first: number | undefined;
  #state: "before" | "running" | "failed" = "before";

  /** Whether the command was executed, or was tried to. */
  get begun(): boolean {
    return this.#state !== "before";
  }

  counts({ process, layers, operation, failed }: Attempt): boolean {
    this.#first ??= process;
    if (process !== this.#first || this.#state === "running") return layers > 0;
    if (layers === 0 || operation.kind !== "execute" || this.#state === "failed") return false;
    this.#state = failed === undefined ? "running" : "failed";
    return true;
  }

  /** The name of the program that tried something. */
  nameOf({ process, program = "" }: Pick<Attempt, "process" | "program">): string {
    if (process === this.#first && this.#state !== "running") return ownName;
    return program.slice(program.lastIndexOf("/") + 1);
  }
}

/** `/proc/self` as a name that lasts: of the command itself it stays, of others it is their own. */
function ownProc(operation: Operation, process: number, first: number): Operation {
  if (!("path" in operation)) return operation;
  const path = operation.path
    .replace(/^\/proc\/self(?=\/|$)/, `/proc/${process}`)
    .replace(new RegExp(`^/proc/${first}(?=/|$)`), "/proc/self");
  return { ...operation, path };
}
