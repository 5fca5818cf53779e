/** Finds the rules that would allow denied operations, the shortest first. */
import { homedir } from "node:os";
import { accessNet, fileRights, scopes, type FsRight, type NetRight } from "../kernel/abi.ts";
import { inOrder } from "../sandbox/rules.ts";
import type { Denial } from "../model/model.ts";
import type { Files } from "../model/place.ts";
import { keysOf, rightModifiers } from "../vocabulary.ts";
import { accessBy, accessOf, fixOf, pathVerbs, type Fix, type RuleSpec } from "./spell.ts";

/** Information for choosing between rules. */
export interface FixContext {
  /**
   * Rights that the sandbox denies unless granted. If `truncate` is among them, a rule for
   * `write_file` grants it too, since overwriting needs both. Default: none.
   */
  readonly handled?: readonly FsRight[];
  /** Paths as the user knows them, with symbolic links; default: those of the denials. */
  readonly names?: readonly string[];
}

/**
 * The rules that would allow what was denied. Each is enough by itself, unless a rename or link
 * gives a file new rights: see `remediesFor()`.
 *
 * @param denials The denials of a `Verdict`, in any number of layers that all need the rule
 * @param files Where to look up the paths
 * @returns Usually one rule, the shortest first. If that grants much more than was denied, such as
 *   `rwDirs()` for one `make_dir`, an exact one follows. If it would grant the home directory or
 *   the whole machine, only the exact one is returned. Empty if no rule can grant it, as for scopes
 */
export function fixesFor(
  denials: readonly Denial[],
  files: Files,
  context: FixContext = {},
): readonly Fix[] {
  const fixes = ruleSpecsFor(denials, files, context).map((list) =>
    fixOf(mergePaths(withoutCovered(list))),
  );
  const [short, exact] = fixes;
  return short && exact && short.code === exact.code ? [short] : fixes;
}

/**
 * The rules of `fixesFor()` as data, each for one path, preset or port right.
 *
 * @returns The shortest rules and the exact ones; empty if no rule can grant it
 */
function ruleSpecsFor(
  denials: readonly Denial[],
  files: Files,
  context: FixContext = {},
): readonly (readonly RuleSpec[])[] {
  const name = nameIn(files, context.names ?? []);
  const wanted = wantedBy(denials, context, name);
  if (wanted === undefined) return [];
  const others = [...presetSpecs(wanted.presets), ...portSpecs(wanted.ports)];
  const paths = [...wanted.paths].map(([path, rights]) => choose(path, name(path), rights, files));
  return [
    [...paths.map(({ short }) => short), ...others],
    [...paths.map(({ exact }) => exact), ...others],
  ];
}

interface Wanted {
  readonly paths: ReadonlyMap<string, readonly FsRight[]>;
  readonly ports: ReadonlyMap<NetRight, readonly number[]>;
  readonly presets: ReadonlySet<string>;
}

/** What the rules must grant, or undefined if no rule can. */
function wantedBy(
  denials: readonly Denial[],
  { handled = [] }: FixContext,
  name: (path: string) => string,
): Wanted | undefined {
  const paths = new Map<string, readonly FsRight[]>();
  const ports = new Map<NetRight, readonly number[]>();
  const presets = new Set<string>();
  for (const { right, path, port, gained } of denials) {
    if (isOneOf(scopes, right)) return undefined;
    if (isOneOf(accessNet, right)) {
      if (port === undefined) return undefined;
      ports.set(right, [...new Set([...(ports.get(right) ?? []), port])]);
    } else if (path !== undefined) {
      const preset = presetFor(right, path, name);
      if (preset !== undefined) presets.add(preset);
      else paths.set(path, inOrder([...(paths.get(path) ?? []), ...(gained ?? [right])]));
    }
  }
  for (const [path, rights] of paths) {
    if (presets.has(`executable=${name(path)}`) && rights.every((right) => right === "read_file")) {
      paths.delete(path);
    } else if (rights.includes("write_file") && handled.includes("truncate")) {
      paths.set(path, inOrder([...rights, "truncate"]));
    }
  }
  return { paths, ports, presets };
}

function isOneOf<Name extends string>(names: readonly Name[], name: string): name is Name {
  return (names as readonly string[]).includes(name);
}

/**
 * The preset to use instead of the path: a program needs its loader, and a process id doesn't last.
 */
function presetFor(
  right: FsRight,
  path: string,
  name: (path: string) => string,
): string | undefined {
  if (right === "execute") return `executable=${name(path)}`;
  const pid = /^\/proc\/(\d+)(\/|$)/.exec(path)?.[1];
  if (pid === undefined || !["read_file", "read_dir"].includes(right)) return undefined;
  return Number(pid) === process.pid ? "bun" : "bun=children";
}

/** Replaces a real path by the user's name for it, if one of the names leads there. */
function nameIn(files: Files, names: readonly string[]): (path: string) => string {
  const known = names
    .filter((name) => name.startsWith("/"))
    .map((name) => [files.find(name, true).path, name] as const);
  return (path) => known.find(([real]) => real === path)?.[1] ?? path;
}

/** The narrowest option that grants all of the rights. */
export function nearestVerb(
  rights: readonly FsRight[],
  isDirectory: boolean,
): Pick<RuleSpec & { kind: "verb" }, "verb" | "with"> {
  const modified = keysOf(rightModifiers);
  const extra = modified.filter((right) => rights.includes(right));
  const plain = rights.filter((right) => !isOneOf(modified, right));
  if (plain.length === 0 && isDirectory) {
    // A program that renames between directories also makes and removes files there.
    return { verb: extra.includes("refer") ? "rwDirs" : "roDirs", with: extra };
  }
  const verb = pathVerbs.find((one) => plain.every((right) => accessBy(one).includes(right)))!;
  return { verb, with: extra };
}

function choose(path: string, name: string, rights: readonly FsRight[], files: Files) {
  const isDirectory = files.find(path, true).file?.type === "directory";
  const near = nearestVerb(rights, isDirectory);
  const wide = isDirectory && isWide(path);
  const paths = [name];
  const nearest = wide ? undefined : near;
  const exact: RuleSpec = { kind: "exact", access: rights, paths, nearest };
  const short: RuleSpec = { kind: "verb", ...near, paths };
  // For a rename, the other rights are already granted. Rights for an entry are granted on its
  // directory.
  const isExtra = rights.every((right) => isOneOf(keysOf(rightModifiers), right));
  if (wide || isExtra) return { short: exact, exact };
  // On a single file the option grants little more than was denied; offer no exact alternative.
  const closeEnough = rights.every((right) => fileRights.includes(right)) && !isDirectory;
  return { short, exact: closeEnough ? short : exact };
}

/** Whether a directory contains everything, or a person's whole home. */
function isWide(path: string): boolean {
  return path === "/" || `${homedir()}/`.startsWith(`${path}/`);
}

/** Drops rules that a rule for a directory above covers. */
function withoutCovered(ruleSpecs: readonly RuleSpec[]): readonly RuleSpec[] {
  const covers = (
    ruleSpec: RuleSpec,
    { access, paths: [path] }: { access: readonly FsRight[]; paths: readonly string[] },
  ) =>
    "paths" in ruleSpec &&
    `${path}/`.startsWith(`${ruleSpec.paths[0]}/`) &&
    access.every((right) => accessOf(ruleSpec).includes(right));
  return ruleSpecs.filter((ruleSpec, i) => {
    const own = { access: accessOf(ruleSpec), paths: "paths" in ruleSpec ? ruleSpec.paths : [] };
    return !ruleSpecs.some((other, j) => j !== i && covers(other, own));
  });
}

/** Combines rules that differ only in their paths. */
function mergePaths(ruleSpecs: readonly RuleSpec[]): RuleSpec[] {
  const groups = new Map<string, RuleSpec>();
  for (const ruleSpec of ruleSpecs) {
    const paths = "paths" in ruleSpec ? ruleSpec.paths : [];
    const key = JSON.stringify({ ...ruleSpec, ...(paths.length > 0 ? { paths: [] } : {}) });
    const known = groups.get(key);
    const before = known && "paths" in known ? known.paths : [];
    groups.set(
      key,
      paths.length > 0 ? ({ ...ruleSpec, paths: [...before, ...paths] } as RuleSpec) : ruleSpec,
    );
  }
  return [...groups.values()];
}

function presetSpecs(specs: ReadonlySet<string>): RuleSpec[] {
  return [...specs].map((spec) => ({ kind: "preset", spec }));
}

function portSpecs(ports: ReadonlyMap<NetRight, readonly number[]>): RuleSpec[] {
  return [...ports].map(([right, list]) => ({ kind: "port", right, ports: list }));
}
