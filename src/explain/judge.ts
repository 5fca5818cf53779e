/** Decides why something failed, from what it may have tried. */
import { reasonByName, reasonText, type Withheld } from "../advise/judgement.ts";
import { isProject } from "../advise/zones.ts";
import { quoted } from "../errors/errors.ts";
import type { FsRight } from "../kernel/abi.ts";
import { currentDirectory, isWithin, parentOf, realPath } from "../kernel/names.ts";
import { placesOf } from "../kernel/walk.ts";
import { swapping } from "../sandbox/links.ts";
import type { Denial } from "../model/model.ts";
import type { Files, Place } from "../model/place.ts";
import { unknownPort, type Attempt, type Hypotheses } from "./attempt.ts";
import { Explanation, type Cause, type ExplanationData } from "./explanation.ts";
import type { Known } from "./known.ts";
import { deniedByPermissions } from "./ordinary.ts";
import { denialsOf, remediesFor } from "./remedy.ts";
import { bothOf, fixOf, type Fix } from "./spell.ts";

/** What to explain. */
interface Case {
  /** The failed call, or the subject of a question. */
  readonly operation: string;
  /** Such as `"EACCES"`, or how a child ended. Undefined for a question. */
  readonly code?: string;
  readonly error?: unknown;
}

/** An attempt with its denials. */
interface Tried extends Attempt {
  /** The denials of all its operations, including further needs. */
  readonly denials: readonly Denial[];
}

/** Explains a failure by the known layers. */
export function judge(hypotheses: Hypotheses, known: Known, subject: Case): Explanation {
  const tried = hypotheses.attempts.map((attempt): Tried => ({
    ...attempt,
    denials: denialsOf([...attempt.operations, ...(attempt.also ?? [])], known).map(
      withoutUnknownPort,
    ),
  }));
  const base = baseOf(hypotheses, subject);
  const { files } = known;
  const apart = subject.code === "EXDEV" ? apartOf(hypotheses, files) : undefined;
  if (apart) return plainly(base, "other", apart);
  const denied = tried.filter(({ denials }) => denials.length > 0);
  if (denied.length > 0) return landlock(base, denied, hypotheses, known);
  const blocked = tried.map(({ operations }) => deniedByPermissions(operations, files));
  const ordinary = blocked.find((what) => what !== undefined);
  if (ordinary) {
    // If no layer is known, an unknown one may still deny another hypothesis.
    const certain = known.layers.length > 0 || !blocked.includes(undefined);
    return plainly({ ...base, certain }, "permission", `Ordinary permissions deny ${ordinary}`);
  }
  if (subject.code === undefined) return question(base, hypotheses, files);
  return unknown(base, hypotheses, known);
}

/** An explanation without content. */
export function baseOf(hypotheses: Hypotheses, { operation, error }: Case): ExplanationData {
  const { path, port } = hypotheses;
  const nothing = { denials: [], fixes: [], notes: [], message: "" };
  return { cause: "unknown", certain: true, operation, path, port, ...nothing, error };
}

/** An explanation that consists of one sentence. */
export function plainly(base: ExplanationData, cause: Cause, message: string): Explanation {
  return new Explanation({ ...base, cause, message });
}

function withoutUnknownPort({ port, ...denial }: Denial): Denial {
  return port === undefined || port === unknownPort ? denial : { ...denial, port };
}

function landlock(
  base: ExplanationData,
  denied: readonly Tried[],
  hypotheses: Hypotheses,
  known: Known,
): Explanation {
  const [first] = denied as [Tried];
  const answers = denied.map((attempt) => fixesOf(attempt, hypotheses, known));
  const fixes = distinct(answers.flat());
  const heads = distinct(answers.flatMap((answer) => answer.slice(0, 1)));
  const certain = first.certain !== false && heads.length <= 1;
  const notes = [...notesOn(first, known), ...withheldNotes(first)];
  const sentence = denialSentence(first.denials);
  const shown = certain ? fixes : heads;
  const message = `Landlock: ${sentence}${fixSentence(shown, certain) || withoutFix(first, hypotheses, known)}`;
  return new Explanation({
    ...base,
    cause: "landlock",
    certain,
    denials: first.denials,
    fixes,
    notes,
    message,
  });
}

function fixesOf(attempt: Tried, hypotheses: Hypotheses, known: Known): readonly Fix[] {
  const { preset, rules = preset === undefined, operations, also = [], denials } = attempt;
  if (denials.some(({ path, port }) => (path ?? port) === undefined)) return [];
  const names = [hypotheses.path, ...namesIn(attempt)].filter(
    (name) => name !== undefined && !leadsOut(name, known),
  ) as string[];
  const allowed = also.filter((operation) => !readsSecret(denialsOf([operation], known)));
  const besides = remediesFor(allowed, known, { names });
  if (denialsOf(operations, known).length === 0) return besides;
  const specs = preset === undefined ? [] : [preset].flat();
  if (rules && readsSecret(denialsOf(operations, known))) return [];
  const named = specs.length === 0 ? [] : [fixOf(specs.map((spec) => ({ kind: "preset", spec })))];
  const isAdvised = rules && withheldOf(denials).length === 0;
  const found = isAdvised ? [...named, ...remediesFor(operations, known, { names })] : named;
  // The last one grants least, such as listing a folder without reading its files.
  const more = besides.at(-1);
  return more ? found.map((fix) => bothOf(fix, more)) : found;
}

/** Denied rights that are never advised: see `src/advise/`. */
function withheldOf(denials: readonly Denial[]): Withheld[] {
  const place = { home: process.env["HOME"], project: projectHere() };
  const paths = Map.groupBy(denials, ({ path }) => path ?? "");
  return [...paths].flatMap(([path, some]) => {
    // All rights on a path are file rights.
    const rights = new Set(some.flatMap(({ right, gained }) => gained ?? [right as FsRight]));
    const reason = path === "" ? undefined : reasonByName(path, rights, place);
    return reason ? [{ what: path, rights: [...rights], reason }] : [];
  });
}

/** A preset may list any folder, whatever it contains. */
function readsSecret(denials: readonly Denial[]): boolean {
  return withheldOf(denials).some(({ rights }) => rights.includes("read_file"));
}

function projectHere(): string | undefined {
  try {
    const cwd = realPath(currentDirectory());
    return isProject(cwd, process.env["HOME"]) ? cwd : undefined;
  } catch {
    return undefined;
  }
}

function withheldNotes({ denials, rules, preset, also }: Tried): string[] {
  if (!(rules ?? (preset === undefined || also))) return [];
  return withheldOf(denials).map(
    ({ what, reason }) => `Not advised: ${reasonText(reason)}: ${quoted(what)}`,
  );
}

function namesIn({ operations }: Attempt): string[] {
  return operations.flatMap((one) => {
    if ("to" in one) return [one.path, one.to].map(parentOf);
    return "path" in one ? [one.path, parentOf(one.path)] : [];
  });
}

/** Whether no rule may name a path: it leads out of a directory where the layers allow links. */
function leadsOut(name: string, { layers, files }: Known): boolean {
  const idsOf = (path: string) => {
    const { file, parents } = files.find(path, true);
    return [...(file ? [file] : []), ...parents].map(({ id }) => id);
  };
  const end = new Set(idsOf(name));
  const [, ...links] = placesOf(name);
  const mayHoldLinks = (id: string) =>
    layers.some(({ grants }) => swapping.some((right) => grants.get(id)?.has(right)));
  return links.flatMap(idsOf).some((id) => !end.has(id) && mayHoldLinks(id));
}

function distinct(fixes: readonly Fix[]): Fix[] {
  return [...new Map(fixes.map((fix) => [fix.code, fix])).values()];
}

function notesOn(tried: Tried, known: Known): string[] {
  const { files } = known;
  const { denials, operations } = tried;
  const notes: string[] = [];
  const lost = known.lost.find(({ path, access }) => {
    const real = files.find(path, true).path;
    return denials.some(
      (denial) =>
        (access as readonly string[]).includes(denial.right) &&
        denial.path !== undefined &&
        isWithin(denial.path, real),
    );
  });
  if (lost) {
    notes.push(
      `There is a rule for ${quoted(lost.path)}, but it applies to an older file at that path: grant its folder, or restart`,
    );
  }
  const [only, ...more] = operations;
  if (only?.kind === "open" && more.length === 0 && denials.some(isCreation)) {
    notes.push(`To grant less, create ${quoted(only.path)} in advance, and grant rwFiles() on it`);
  }
  const ordinary = deniedByPermissions(operations, files);
  if (ordinary) notes.push(`Ordinary permissions deny ${ordinary} too`);
  return notes;
}

/** Why there is no rule, for the end of a sentence. */
function withoutFix(
  { operations, denials }: Tried,
  { needs }: Hypotheses,
  { layers }: Known,
): string {
  const scope = operations.find((operation) => operation.kind === "scope")?.scope;
  if (scope) return `; no rule can grant it: leave ${scope} out of the Config`;
  const other = denials.find(({ layer }) => layers[layer - 1]?.handled.fs.length === 0)?.layer;
  if (denials.every(({ right }) => right === "refer") && other !== undefined) {
    return `; no rule can grant it in layer ${other}, which restricts no paths: restrict everything in one restrict()`;
  }
  return needs === undefined ? "" : `; ${needs}`;
}

function isCreation({ right }: Denial): boolean {
  return right === "make_reg";
}

function sentenceOf(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Renaming and linking between two mounts always fails. */
function apartOf(hypotheses: Hypotheses, files: Files): string | undefined {
  const [operation] = hypotheses.attempts.flatMap(({ operations }) => operations);
  if (operation?.kind !== "rename" && operation?.kind !== "link") return undefined;
  const mount = ({ parents }: Place) => parents.find(({ mounted }) => mounted)?.path;
  const [from, to] = [operation.path, operation.to];
  if (mount(files.find(from, false)) === mount(files.find(to, false))) return undefined;
  return `${quoted(from)} and ${quoted(to)} are on different mounts: copy the file, and remove the old one`;
}

function question(base: ExplanationData, { path }: Hypotheses, files: Files): Explanation {
  if (path !== undefined && files.find(path, true).parents.length === 0 && path !== "/") {
    return plainly(base, "missing", `${quoted(path)} does not exist, and neither does its folder`);
  }
  return plainly(base, "allowed", "Nothing known denies it");
}

function unknown(base: ExplanationData, hypotheses: Hypotheses, { layers }: Known): Explanation {
  const { needs, missing } = hypotheses;
  if (missing) return plainly(base, "missing", missing);
  if (needs) return plainly(base, "unknown", sentenceOf(needs));
  const message =
    layers.length === 0
      ? "No layer is known: this thread enforced none, but another one may have, or the process was started in a sandbox; give them, as { layers }"
      : "Neither the known layers nor ordinary permissions deny it: the process may have been started in a sandbox, or another thread may have enforced more";
  return plainly(base, "unknown", message);
}

/** More places would make the sentence too long. */
const placesMax = 2;

/** Such as `layer 1 denies read_file on "/etc/hosts"`. */
function denialSentence(denials: readonly Denial[]): string {
  const places = new Map<string, { layers: Set<number>; rights: Set<string> }>();
  for (const { layer, right, path, port, gained } of denials) {
    const where = placeOf(path, port, gained);
    const place = places.get(where) ?? { layers: new Set(), rights: new Set() };
    place.layers.add(layer);
    place.rights.add(right);
    places.set(where, place);
  }
  const layers = [...new Set(denials.map(({ layer }) => layer))].sort((a, b) => a - b);
  const list = [...places].map(([where, { rights }]) => `${[...rights].join(", ")}${where}`);
  const shown = list.slice(0, placesMax).join(" and ");
  const rest = list.length - placesMax;
  const more = rest > 0 ? ` and ${rest} more` : "";
  const who =
    layers.length === 1 ? `layer ${layers[0]} denies` : `layers ${layers.join(", ")} deny`;
  return `${who} ${shown}${more}`;
}

function placeOf(
  path: string | undefined,
  port: number | undefined,
  gained: readonly string[] | undefined,
): string {
  if (gained) return ` because files in ${quoted(path!)} would gain ${gained.join(", ")}`;
  if (path !== undefined) return ` on ${quoted(path)}`;
  return port === undefined ? "" : ` on port ${port}`;
}

/** Such as `; add roFiles("/etc/hosts")`. If uncertain, it lists all possible fixes. */
function fixSentence(fixes: readonly Fix[], certain: boolean): string {
  const [first] = fixes;
  if (first === undefined) return "";
  const codes = certain ? [first.code] : fixes.map(({ code }) => code);
  return `; add ${codes.join(" or ")}`;
}
