/**
 * `landlock-restrict learn`: runs a command unrestricted, watches it, and writes the policy that it
 * needs. In the published bundle this and `learn/` are evaluated on first use: see `src/bundle.ts`.
 */
import { realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { contentOf } from "./learn/content.ts";
import { unifiedDiff } from "./learn/diff.ts";
import { draft, type Draft } from "./learn/draft.ts";
import { existingPolicy, type Existing } from "./learn/existing.ts";
import { rightsOn } from "./learn/fold.ts";
import { extended } from "./learn/merge.ts";
import { Names } from "./learn/names.ts";
import { Collector, type Needs } from "./learn/needs.ts";
import { Places } from "./learn/places.ts";
import { header, notes } from "./learn/report.ts";
import { policyText } from "./learn/toml.ts";
import { isProject } from "./learn/zones.ts";
import { observe, type Ending } from "./observe.ts";
import { progressLine } from "./terminal/output.ts";
import { screenOf } from "./terminal/screen.ts";

/** What is to be learned. */
export interface LearnRequest {
  /** Where the policy goes. */
  readonly output: string;
  /** Whether a policy that exists is extended. */
  readonly merge: boolean;
  readonly command: readonly string[];
}

/** What was learned. */
export interface Learned {
  /** The policy's file. */
  readonly policy: string;
  /** Whether there was anything new. */
  readonly changed: boolean;
  /** How the command ended. */
  readonly ending: Ending;
  /** How many operations were seen. */
  readonly operations: number;
  /** What changed in a policy that was extended, as diff -u(1) has it. */
  readonly diff: readonly string[];
  /** What a person should know beside the rules. */
  readonly notes: readonly string[];
  readonly withheld: Draft["withheld"];
  /** Secrets in directories that had to be granted. */
  readonly exposed: readonly string[];
}

/** The coarse clock that file systems use ticks at least this often: `CONFIG_HZ=100`. */
const tickMs = 10;

/**
 * Runs the command and writes the policy, however the command ended.
 *
 * @throws {LandlockError} Before the command runs: `ERR_LANDLOCK_PATH` or
 *   `ERR_LANDLOCK_INVALID_RULE` where the policy cannot be written or extended, or there is no
 *   strace(1); afterwards `ERR_LANDLOCK_BLOCKED` where that could not trace
 */
export async function learn({ output, merge, command }: LearnRequest): Promise<Learned> {
  const existing = existingPolicy(output, merge);
  const { collector, ending, start } = await watch(command);
  const needs = collector.needs(new Places(start));
  const around = surroundings();
  const drafted = draft(needs, existing.already, around, realpathSync(tmpdir()));
  const base = realpathSync(dirname(existing.path));
  const names = new Names({ base, ...around, known: existing.variables });
  const content = contentOf(drafted, names, existing);
  const own = join(base, basename(existing.path));
  const isOpen = rightsOn(drafted.grants, own).has("write_file");
  const said = notes(drafted, names, isOpen ? own : undefined, rewritable(needs, drafted));
  const rules = content.texts.size + content.ports.size + content.paths.length;
  const changed = existing.text === undefined || rules > 0;
  const text =
    existing.text === undefined
      ? policyText(header(basename(command[0]!)), content, said)
      : changed
        ? extended(existing.text, content, unsaid(said, existing), JSON.stringify(existing.path))
        : existing.text;
  if (changed) writeFileSync(existing.path, text);
  return {
    policy: existing.path,
    changed,
    ending,
    operations: collector.seen,
    diff: existing.text === undefined ? [] : unifiedDiff(existing.text, text),
    notes: said,
    withheld: drafted.withheld,
    exposed: drafted.exposed,
  };
}

/** Programs that the policy lets be changed: what they name decides what `executable` grants. */
function rewritable({ programs }: Needs, { grants, presets }: Draft): string[] {
  if (!presets.some(({ spec }) => spec.startsWith("executable="))) return [];
  const isOpen = (path: string) =>
    [rightsOn(grants, path), ...presets.map(({ coverage }) => coverage.rightsOn(path))].some(
      (rights) => rights.has("write_file") || rights.has("remove_file"),
    );
  return [...programs].filter(isOpen).sort();
}

async function watch(command: readonly string[]) {
  // Whatever was made before has an earlier time than whatever the run makes.
  await Bun.sleep(2 * tickMs);
  const start = BigInt(Date.now() - tickMs) * 1_000_000n;
  const collector = new Collector();
  const progress = progressLine(screenOf(2));
  let isFree = true;
  let ending: Ending;
  try {
    const watched = observe(command);
    for await (const one of watched) {
      collector.add(one);
      if (one.kind === "terminal") isFree = false;
      if (isFree) progress.show(`learning: ${collector.seen} operations`);
      else progress.clear();
    }
    ending = await watched.ending;
  } finally {
    progress.clear();
  }
  return { collector, start, ending };
}

function surroundings() {
  const HOME = process.env["HOME"];
  const home = HOME?.startsWith("/") ? realOf(HOME) : undefined;
  const cwd = realpathSync(process.cwd());
  return { home, project: isProject(cwd, home) ? cwd : undefined };
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The notes that do not stand in the policy yet. */
function unsaid(lines: readonly string[], { text = "" }: Existing): string[] {
  const known = new Set(text.split("\n").map((line) => line.replace(/^# ?/, "").trimEnd()));
  const fresh = lines.filter((line) => !line.startsWith("  ") || !known.has(line));
  // A heading with nothing beneath it says nothing.
  return fresh.filter((line, i) => line.startsWith("  ") || fresh[i + 1]?.startsWith("  "));
}
