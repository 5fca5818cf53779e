/**
 * `landlock-restrict learn`: runs a command unrestricted, watches it, and writes the policy that it
 * needs.
 */
import { constants } from "node:os";
import { LandlockError, printable, quoted } from "../errors/errors.ts";
import { accessFs } from "../kernel/abi.ts";
import { inFolder, knownRealPath, lastName, parentOf } from "../kernel/names.ts";
import { executeError, exitStatusFor } from "../kernel/refused.ts";
import { contentOf } from "./content.ts";
import { unifiedDiff } from "./diff.ts";
import { draft, type Draft } from "../advise/draft.ts";
import { existingPolicy, type Existing } from "./existing.ts";
import { rightsOn } from "../advise/fold.ts";
import { extended } from "./merge.ts";
import { Names } from "./names.ts";
import { Collector } from "../advise/collector.ts";
import { Places, startOfRun } from "../advise/places.ts";
import { header, notes } from "./report.ts";
import { surroundings } from "../advise/surroundings.ts";
import { policyText } from "./toml.ts";
import { requireMeaning } from "./verify.ts";
import { writeWhole } from "./write.ts";
import type { Surroundings } from "../advise/zones.ts";
import type { Ending } from "../trace/observation.ts";
import { observe } from "../trace/observe.ts";
import { placesOf } from "../kernel/walk.ts";
import { rewritableBy } from "../sandbox/rewritable.ts";
import { flatten } from "../sandbox/plan.ts";
import type { Rule } from "../sandbox/rules.ts";
import { progressLine } from "../terminal/output.ts";
import { screenOf } from "../terminal/screen.ts";

/** A request to learn a policy. */
interface LearnRequest {
  /** The file for the policy. */
  readonly output: string;
  /** Whether to extend an existing policy. */
  readonly merge: boolean;
  readonly command: readonly string[];
  /** Descriptors that the command inherits besides 0, 1 and 2. */
  readonly fds?: readonly number[];
}

/** The result of learning. */
export interface Learned {
  /** The policy's file. */
  readonly policy: string;
  /** Whether there was anything new. */
  readonly changed: boolean;
  /** How the command ended. */
  readonly ending: Ending;
  /** The number of observed operations. */
  readonly operations: number;
  /** What went wrong because the command was watched. */
  readonly caveats: readonly string[];
  /** The changes in an extended policy, in the format of diff -u(1). */
  readonly diff: readonly string[];
  /** What a person should know apart from the rules. */
  readonly notes: readonly string[];
  readonly withheld: Draft["withheld"];
  /** Secrets in directories that had to be granted. */
  readonly exposed: readonly string[];
}

/** The command ran or failed to start, and no policy was written. */
interface Lost {
  readonly ending: Ending;
  /** The reason, in one line. */
  readonly failure: string;
}

/**
 * Runs the command and writes the policy, however the command ends.
 *
 * @throws {LandlockError} Before the command runs: `ERR_LANDLOCK_PATH` or
 *   `ERR_LANDLOCK_INVALID_POLICY` if the policy can't be written or extended, or strace(1) isn't
 *   installed. Afterwards: `ERR_LANDLOCK_BLOCKED` if strace could not trace
 */
export async function learn({
  output,
  merge,
  command,
  fds = [],
}: LearnRequest): Promise<Learned | Lost> {
  const existing = existingPolicy(output, merge);
  // Before the run, because the command may remove the directories that it was started in.
  const around = surroundings();
  const { collector, ending, start, problem, refused, caveats } = await watch(command, fds);
  if (refused !== undefined) return notExecuted(refused);
  const { forger } = collector;
  if (forger !== undefined) return { ending, failure: forged(lastName(forger)) };
  try {
    if (problem !== undefined) throw problem;
    // The command may have made links.
    around.secrets.look();
    around.governing.look();
    const needs = collector.needs(new Places(start, around.tmp), around);
    const drafted = draft(needs, existing.already, around);
    const policy = write(drafted, existing, around, lastName(command[0]!));
    return { ...policy, ending, operations: collector.seen, caveats };
  } catch (error) {
    // The command has run, so its status counts.
    return { ending, failure: messageOf(error) };
  } finally {
    existing.folder.close();
  }
}

/** The command that could not be executed, and the errno's name. */
interface Refused {
  readonly path: string;
  readonly failed: string;
}

function notExecuted({ path, failed }: Refused): Lost {
  const errno = constants.errno[failed as keyof typeof constants.errno];
  const { message } = executeError(`cannot execute ${quoted(path)}`, path, errno);
  return { ending: { exitCode: exitStatusFor(errno), signal: null }, failure: message };
}

function forged(program: string): string {
  return `No policy was written: ${program} opened strace's pipe or a process that traces it, so the report may be forged; learn from a program that leaves other processes alone`;
}

function messageOf(error: unknown): string {
  if (error instanceof LandlockError) return error.message;
  const { code, message } = error as { code?: string; message?: string };
  return `Cannot write the policy: ${code ?? message ?? "an error"}; learn again`;
}

/** Writes the draft, and lists what a person should know. */
function write(drafted: Draft, existing: Existing, around: Surroundings, program: string) {
  const { path, base, text: before } = existing;
  const names = new Names({ base, ...around, known: existing.variables });
  const written = contentOf(drafted, names, existing);
  const { content } = written;
  const own = inFolder(base, lastName(path));
  const all = flatten([...written.rules, ...existing.rules], "learn");
  const programs = rewritableBy(all, accessFs, placesOf);
  const fragile = fragileBy(existing.rules, drafted);
  const policy = isOpen(drafted, existing, own) ? own : undefined;
  const said = notes(drafted, names, policy, programs, fragile);
  const rules = content.texts.size + content.ports.size + content.paths.length;
  const changed = before === undefined || rules > 0;
  const text = !changed
    ? before
    : before === undefined
      ? policyText(header(program), content, said)
      : extended(before, content, unsaid(said, before), JSON.stringify(path));
  if (changed) {
    existing.folder.requireInPlace();
    requireMeaning(text, path, written, before);
    writeWhole(path, text, before, existing.folder);
  }
  return {
    policy: path,
    changed,
    diff: before === undefined ? [] : unifiedDiff(before, text),
    notes: said,
    withheld: drafted.withheld,
    exposed: drafted.exposed,
  };
}

/**
 * Directories made by the run that existing rules require. The policy fails once somebody removes
 * them.
 */
function fragileBy(rules: readonly Rule[], { created }: Draft): string[] {
  const paths = flatten(rules, "learn").flatMap((rule) =>
    rule.kind === "fs" && rule.onMissing === "fail" ? rule.paths : [],
  );
  const real = new Set(paths.map((path) => knownRealPath(path)));
  return [...created].filter((path) => real.has(path));
}

/** Whether the program can write its own policy, or replace it. */
function isOpen({ grants, presets }: Draft, { already }: Existing, policy: string): boolean {
  const coverages = [already, ...presets.map(({ coverage }) => coverage)];
  const on = (path: string) =>
    coverages.reduce((sum, one) => sum.union(one.rightsOn(path)), rightsOn(grants, path));
  const folder = on(parentOf(policy));
  return on(policy).has("write_file") || (folder.has("make_reg") && folder.has("remove_file"));
}

async function watch(command: readonly string[], fds: readonly number[]) {
  const start = await startOfRun();
  const collector = new Collector();
  const progress = progressLine(screenOf(2));
  let isFree = true;
  let ending: Ending;
  let caveats: readonly string[];
  let problem: unknown;
  let refused: Refused | undefined;
  try {
    const watched = observe(command, { fds });
    for await (const one of watched) {
      try {
        collector.add(one);
      } catch (error) {
        // The command runs to its end even if this program fails.
        problem ??= error;
      }
      if (one.kind === "attempt" && one.program === undefined && one.operation.kind === "execute") {
        const { path } = one.operation;
        refused = one.failed === undefined ? undefined : { path, failed: one.failed };
      }
      if (one.kind === "terminal") isFree = false;
      if (isFree) progress.show(`learning: ${collector.seen} operations`);
      else progress.clear();
    }
    ending = await watched.ending;
    caveats = watched.caveats();
  } finally {
    progress.clear();
  }
  return { collector, start, ending, caveats, problem, refused };
}

/** The notes that the policy doesn't contain yet. */
function unsaid(lines: readonly string[], text: string): string[] {
  const known = new Set(text.split("\n").map((line) => line.replace(/^# ?/, "").trimEnd()));
  const isKnown = (line: string) => known.has(printable(line).trimEnd());
  const fresh = lines.filter((line) => !line.startsWith("  ") || !isKnown(line));
  // Drop headings without lines beneath them.
  return fresh.filter((line, i) => line.startsWith("  ") || fresh[i + 1]?.startsWith("  "));
}
