/** Which options would allow what was denied: the same that learn would grant for it. */
import type { Coverage } from "../../advise/coverage.ts";
import { draft, type Draft } from "../../advise/draft.ts";
import { grantsOf, type Grant } from "../../advise/grant.ts";
import { verdictOf, type Verdict, type Withheld } from "../../advise/judgement.ts";
import { needsOfDenied } from "../../advise/needs.ts";
import type { Places } from "../../advise/places.ts";
import type { Surroundings } from "../../advise/zones.ts";
import type { FsRight } from "../../kernel/abi.ts";
import { isWithin } from "../../kernel/names.ts";
import { nameFor, pathRules } from "../../vocabulary.ts";
import { nearestVerb } from "../fix.ts";
import { fixOf, type Piece } from "../spell.ts";
import { assignWords } from "./assign.ts";
import { combined, joinFlags } from "./combine.ts";
import type { Counted, Denied } from "./denied.ts";
import type { Trial } from "./trial.ts";

/** What to add to a command line, or to a policy. */
export interface Advice {
  /** For each denied operation the words that allow it; none where there is no option for it. */
  readonly flags: readonly (readonly string[])[];
  /** What each of them is. */
  readonly verdicts: readonly Verdict[];
  /** The words that allow all that is advised. */
  readonly all: readonly string[];
  /** The same as lines of a policy in TOML, with what no option can say. */
  readonly policy: string;
  /** What is not advised, and why. */
  readonly withheld: readonly Withheld[];
}

/** Where a command ran. */
interface Circumstances {
  /** What its sandbox grants. */
  readonly already: Coverage;
  readonly around: Surroundings;
  readonly places: Places;
  /** Whether one of its programs is a Bun. */
  readonly bun: boolean;
}

/** For a command that went on without what was denied: it worked. */
export function nothingToAdd(denied: readonly Denied[]): Advice {
  const verdicts = denied.map(() => "harmless" as const);
  return { flags: denied.map(() => []), verdicts, all: [], policy: "", withheld: [] };
}

/**
 * Finds options for what was denied, and tries them out on the model.
 *
 * @param denied What the sandbox denied
 * @param sandbox It
 */
export function adviseOn(
  denied: readonly Denied[],
  sandbox: Trial,
  { already, around, places, bun }: Circumstances,
): Advice {
  const operations = denied.map(({ operation }) => operation);
  const drafted = draft(needsOfDenied(operations, places, around, bun), already, around);
  const withheld = [...drafted.withheld];
  const pieces = piecesOf(drafted, sandbox.handled, around, withheld);
  const rules = combined(pieces);
  const flags = assignWords(denied, sandbox, pieces);
  return {
    flags,
    verdicts: denied.map((one, i) => {
      if (flags[i]!.length > 0) return "needed";
      const held = withheld.find(({ what }) => isAbout(one, what));
      return held ? verdictOf(held.reason) : "unknown";
    }),
    all: joinFlags(rules.map((piece) => fixOf([piece]).flags)),
    policy: fixOf(rules).policy,
    withheld,
  };
}

/** Where something was denied, as the program named it. */
export function placeOf({ operation }: Counted): string {
  if (operation.kind === "port") return `port ${operation.port}`;
  return operation.kind === "scope" ? "" : operation.path;
}

/** The rules of a draft, of one path, port or preset each. */
function piecesOf(
  drafted: Draft,
  { fs, net }: Trial["handled"],
  around: Surroundings,
  withheld: Withheld[],
): Piece[] {
  const pieces: Piece[] = drafted.presets.map(({ spec }) => ({ kind: "preset", spec }));
  for (const [path, grant, isDirectory] of grantsOf(drafted, fs)) {
    // A rule that a run can add by itself must not open what a person has to decide about.
    const isOpening =
      isDirectory && grant.ifMissing !== "create" && around.secrets.mayBeWithin(path);
    const rights = [...drafted.grants.get(path)!];
    if (isOpening && rights.includes("read_file")) {
      withheld.push({ what: path, rights, reason: "exposing" });
    } else pieces.push(pieceFor(path, grant, rights, { isDirectory, isOpening }));
  }
  for (const [right, ports] of drafted.ports) {
    if (!net.includes(right)) continue;
    pieces.push(...ports.map((port): Piece => ({ kind: "port", right, ports: [port] })));
  }
  return pieces;
}

function pieceFor(
  path: string,
  { access, refer, ifMissing }: Grant,
  rights: readonly FsRight[],
  { isDirectory, isOpening }: { isDirectory: boolean; isOpening: boolean },
): Piece {
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

/** Whether something withheld is what an operation is about. */
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
