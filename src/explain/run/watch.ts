/** Runs a command in its sandbox under strace(1), and finds out what was denied. */
import type { Config } from "../../sandbox/config.ts";
import { printable } from "../../errors/errors.ts";
import { machineFiles } from "../../model/files.ts";
import { layerOf } from "../../model/layer.ts";
import type { Operation } from "../../model/operation.ts";
import type { FsRight } from "../../kernel/abi.ts";
import { currentDirectory, knownRealPath } from "../../kernel/names.ts";
import { probe } from "../../kernel/probe.ts";
import { isBun } from "../../advise/bun.ts";
import { Coverage } from "../../advise/coverage.ts";
import { isHarmlessProbe, reasonAgainst } from "../../advise/judgement.ts";
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

/** A parsed command line of `landlock-restrict explain`. */
export interface ExplainRequest {
  /** `landlock-restrict` itself, with the words that run the command in its sandbox. */
  readonly command: readonly string[];
  readonly config: Config;
  readonly rules: readonly Rule[];
  /** Descriptors that the command inherits besides 0, 1 and 2. */
  readonly fds: readonly number[];
}

/** The name of this program, before it executes the command. */
const ownName = "landlock-restrict";

/** The errnos that Landlock uses. */
const errnos = ["EACCES", "EPERM", "EXDEV"];

/** How a command ended, and the findings unless it failed to start. */
interface Watched {
  readonly ending: Ending;
  readonly findings?: Findings;
  /** Its writable directories that now contain files that decide what runs later. */
  readonly opened?: readonly string[];
}

/**
 * Runs the command and finds out what was denied.
 *
 * @throws {LandlockError} The same errors as `Config.plan()` and `observe()`, before the command runs
 */
export async function watchRun(request: ExplainRequest): Promise<Watched> {
  const plan = request.config.plan(...request.rules);
  const cwd = currentDirectory();
  // Before the run, because the command may remove the directories that it was started in.
  const around = surroundings();
  let first: number | undefined;
  const files = filesOfProcesses(machineFiles, () => first);
  // Before the run, while the files exist that the rules apply to.
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
  let isForged = false;
  const judge = (observation: Observation) => {
    first ??= observation.pid;
    if (observation.kind === "tampering") isForged = true;
    if (observation.kind === "gap" && start.begun && isDenial(observation.failed)) lost++;
    if (observation.kind === "barred" && start.begun && observation.layers > 0) {
      barred.add(observation, start.nameOf(observation));
    }
    if (observation.kind !== "attempt" || !start.counts(observation)) return;
    const { failed, operation, via } = observation;
    changes.add(observation);
    const program = start.nameOf(observation);
    // This program is Bun itself, until it executes the command.
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
  // The command runs to its end even if this program fails.
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
      // The command may have made links.
      around.secrets.look();
      around.governing.look();
      const already = new Coverage();
      for (const rule of request.rules) already.add(rule);
      const reads = denied.some((one) => placeOf(one).startsWith("/proc/"));
      const advice =
        ending.exitCode === 0
          ? nothingToAdd(denied)
          : adviseOn(denied, plan.handled, {
              already,
              around,
              places: new Places(started, around.tmp, true),
              bun: reads && [...programs].some(isBun),
            });
      const notes = [
        ...notesOn(failures, ending, advice, already),
        ...barred.notes(),
        ...lostNotes(lost),
        ...run.caveats(),
      ];
      const findings = { ...failures, barred: barred.all(), lost, isForged, advice, ending, notes };
      const opened = writablePaths(request.rules).filter((path) =>
        ["governing", "later"].includes(reasonAgainst(path, writing, around) ?? ""),
      );
      return { ending, findings, opened };
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    writeError(`landlock-restrict: Cannot explain what was denied: ${printable(why)}\n`);
  }
  return { ending };
}

const writing: ReadonlySet<FsRight> = new Set(["write_file"]);

function writablePaths(rules: readonly Rule[]): string[] {
  return rules.flatMap((rule) =>
    rule.kind === "fs" && rule.access.includes("write_file")
      ? rule.paths.flatMap((path) => knownRealPath(path) ?? [])
      : [],
  );
}

function isDenial(errno: string | undefined): errno is string {
  return errno !== undefined && errnos.includes(errno);
}

function lostNotes(count: number): string[] {
  if (count === 0) return [];
  const what = count === 1 ? "1 operation" : `${count} operations`;
  return [`${what} failed on unknown files: they may be denied too.`];
}

/**
 * Detects the start of the command: the first process restricts itself, then executes it. What
 * `landlock-restrict` itself does doesn't count.
 */
class Start {
  #first: number | undefined;
  #state: "before" | "running" | "failed" = "before";

  /** Whether the command was executed, or at least tried. */
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

  /** The name of the program that made an attempt. */
  nameOf({ process, program = "" }: Pick<Attempt, "process" | "program">): string {
    if (process === this.#first && this.#state !== "running") return ownName;
    return program.slice(program.lastIndexOf("/") + 1);
  }
}

/**
 * Names a process's directory in /proc so that it lasts: `/proc/self` for the command, and the id
 * for others.
 */
function ownProc(operation: Operation, process: number, first: number): Operation {
  if (!("path" in operation)) return operation;
  const path = operation.path
    .replace(/^\/proc\/self(?=\/|$)/, `/proc/${process}`)
    .replace(new RegExp(`^/proc/${first}(?=/|$)`), "/proc/self");
  return { ...operation, path };
}
