/** Finds the options that would allow what was denied. They match what learn would grant. */
import type { Coverage } from "../../advise/coverage.ts";
import { draft, type Draft } from "../../advise/draft.ts";
import { terminals } from "../../advise/changing.ts";
import { changes, governingAt } from "../../advise/governing.ts";
import { grantsOf, type Grant } from "../../advise/grant.ts";
import { verdictOf, type Verdict, type Withheld } from "../../advise/judgement.ts";
import { needsOfDenied } from "../../advise/needs.ts";
import type { Places } from "../../advise/places.ts";
import type { Surroundings } from "../../advise/zones.ts";
import type { FsRight } from "../../kernel/abi.ts";
import { isWithin } from "../../kernel/names.ts";
import type { Layer } from "../../model/layer.ts";
import { nameFor, pathRules } from "../../vocabulary.ts";
import { nearestVerb } from "../fix.ts";
import { accessOf, fixOf, type RuleSpec } from "../spell.ts";
import { assignWords, type Candidate } from "./assign.ts";
import { mergeRules, wordsOf } from "./combine.ts";
import type { Counted, Denied } from "./denied.ts";

/** What to add to a command line or a policy. */
export interface Advice {
  /** For each denied operation the words that allow it; empty if no option does. */
  readonly flags: readonly (readonly string[])[];
  /** The verdict on each denied operation. */
  readonly verdicts: readonly Verdict[];
  /** The words that allow all advised operations. */
  readonly all: readonly string[];
  /** The words that can be added without asking a person. */
  readonly safe: readonly string[];
  /** What the other words would let the command write that decides what runs later. */
  readonly careful: readonly string[];
  /** The same as lines of a policy in TOML, including what options can't express. */
  readonly policy: string;
  /** What isn't advised, and why. */
  readonly withheld: readonly Withheld[];
}

/** The surroundings of a run. */
interface Circumstances {
  /** What its sandbox grants. */
  readonly already: Coverage;
  readonly around: Surroundings;
  readonly places: Places;
  /** Whether one of its programs is Bun. */
  readonly bun: boolean;
}

type Handled = Pick<Layer["handled"], "fs" | "net">;

/** The advice for a command that worked despite its denials. */
export function nothingToAdd(denied: readonly Denied[]): Advice {
  const verdicts = denied.map(() => "harmless" as const);
  return {
    flags: denied.map(() => []),
    verdicts,
    all: [],
    safe: [],
    careful: [],
    policy: "",
    withheld: [],
  };
}

/**
 * Finds options for what was denied.
 *
 * @param denied What the sandbox denied
 * @param handled The rights that it denies unless they are granted
 */
export function adviseOn(
  denied: readonly Denied[],
  handled: Handled,
  { already, around, places, bun }: Circumstances,
): Advice {
  const operations = denied.map(({ operation }) => operation);
  const drafted = draft(needsOfDenied(operations, places, around, bun), already, around);
  const withheld = [...drafted.withheld];
  const candidates = candidatesOf(drafted, handled, around, withheld);
  const ruleSpecs = candidates.map(({ ruleSpec }) => ruleSpec);
  const flags = assignWords(denied, candidates);
  return {
    flags,
    verdicts: denied.map((one, i) => {
      if (flags[i]!.length > 0) return "needed";
      const held = withheld.find(({ what }) => isAbout(one, what));
      return held ? verdictOf(held.reason) : "unknown";
    }),
    all: wordsOf(ruleSpecs),
    safe: wordsOf(ruleSpecs.filter((ruleSpec) => isSafe(ruleSpec, around))),
    careful: [...new Set(ruleSpecs.flatMap(governedBy))],
    policy: fixOf(mergeRules(ruleSpecs)).policy,
    withheld,
  };
}

/**
 * Whether a rule can be added without asking a person. It must allow no port, and only allow
 * changes in the project that don't decide what runs later.
 */
function isSafe(ruleSpec: RuleSpec, { project }: Surroundings): boolean {
  if (ruleSpec.kind === "port") return false;
  if (ruleSpec.kind === "preset") return ruleSpec.spec !== "dns=ports";
  if (!changes(new Set(accessOf(ruleSpec)))) return true;
  const isOwn = (path: string) =>
    /^\/dev\/(null|zero|full|u?random|tty|ptmx)$/.test(path) ||
    (project !== undefined && isWithin(path, project));
  return ruleSpec.paths.every(isOwn) && governedBy(ruleSpec).length === 0;
}

/** The files that decide what runs later and that a rule lets a program write. */
function governedBy(ruleSpec: RuleSpec): string[] {
  if (!("paths" in ruleSpec) || !changes(new Set(accessOf(ruleSpec)))) return [];
  return ruleSpec.paths.flatMap((path) => (path === terminals ? [path] : governingAt(path)));
}

/** Where something was denied, as the program named it. */
export function placeOf({ operation }: Counted): string {
  if (operation.kind === "port") return `port ${operation.port}`;
  return operation.kind === "scope" ? "" : operation.path;
}

/** The rules of a draft, each for one path, port or preset. */
function candidatesOf(
  drafted: Draft,
  { fs, net }: Handled,
  around: Surroundings,
  withheld: Withheld[],
): Candidate[] {
  const candidates = drafted.presets.map(({ spec, coverage }): Candidate => ({
    ruleSpec: { kind: "preset", spec },
    coverage,
  }));
  const add = (ruleSpec: RuleSpec) => candidates.push({ ruleSpec });
  for (const [path, grant, isDirectory] of grantsOf(drafted, fs)) {
    // --until-it-works adds rules by itself, so they must not grant what a person has to decide
    // about.
    const isOpening =
      isDirectory && grant.ifMissing !== "create" && around.secrets.mayBeWithin(path);
    const rights = [...drafted.grants.get(path)!];
    if (isOpening && rights.includes("read_file")) {
      withheld.push({ what: path, rights, reason: "exposing" });
    } else add(ruleSpecFor(path, grant, rights, { isDirectory, isOpening }));
  }
  for (const [right, ports] of drafted.ports) {
    if (!net.includes(right)) continue;
    for (const port of ports) add({ kind: "port", right, ports: [port] });
  }
  return candidates;
}

function ruleSpecFor(
  path: string,
  { access, refer, ifMissing }: Grant,
  rights: readonly FsRight[],
  { isDirectory, isOpening }: { isDirectory: boolean; isOpening: boolean },
): RuleSpec {
  const paths = [path];
  const missing = ifMissing ? { ifMissing } : {};
  if (typeof access === "string" && !isOpening) {
    const verb = nameFor(pathRules, "key", access)!;
    return { kind: "verb", verb, with: refer ? ["refer"] : [], paths, ...missing };
  }
  const exact = typeof access === "string" ? rights : access;
  const nearest = isOpening ? undefined : nearestVerb(exact, isDirectory);
  return { kind: "exact", access: exact, paths, nearest, ...missing };
}

/** Whether an operation is about something withheld. */
function isAbout({ operation, denials }: Denied, what: string): boolean {
  const paths = [
    ...("path" in operation ? [operation.path] : []),
    ...("to" in operation ? [operation.to] : []),
    ...denials.flatMap(({ path }) => path ?? []),
  ].map((path) =>
    path
      .replace(/^\/proc\/\d+/, "/proc/PID")
      .replace(/\/task\/\d+/, "/task/TID")
      .replace(/^\/dev\/pts\/\d+/, "/dev/pts/N"),
  );
  if (operation.kind === "port") return what.endsWith(` ${operation.port}`);
  return paths.some((path) => isWithin(path, what) || isWithin(what, path));
}
