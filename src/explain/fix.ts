/** From denials to the rules that would have allowed it, the shortest first. */
import { homedir } from "node:os";
import { accessNet, fileRights, scopes, type FsRight, type NetRight } from "../kernel/abi.ts";
import { inOrder } from "../sandbox/rules.ts";
import type { Denial } from "../model/model.ts";
import type { Files } from "../model/place.ts";
import { keysOf, rightModifiers } from "../vocabulary.ts";
import { accessBy, accessOf, fixOf, pathVerbs, type Fix, type Piece } from "./spell.ts";

/** What helps to find the better of two rules. */
export interface FixContext {
  /**
   * Rights that the sandbox denies unless they are granted. With `truncate` among them, what
   * grants `write_file` grants it too: overwriting needs both. Default: none.
   */
  readonly handled?: readonly FsRight[];
  /** Paths as the user knows them, symbolic links included; default: those of the denials. */
  readonly names?: readonly string[];
}

/**
 * The rules that would allow what was denied. Each is enough by itself, unless renaming or linking
 * gives a file rights by its new place: see `remediesFor()`.
 *
 * @param denials What a `Verdict` lists, of any number of layers: each of them needs the rule
 * @param files Where the paths are looked up
 * @returns The shortest first, most often one. Where it grants much more than was denied, as
 *   `rwDirs()` for one `make_dir`, an exact one is the second; alone where the first would open the
 *   home directory or the whole machine. None: no rule can grant it, as with scopes
 */
export function fixesFor(
  denials: readonly Denial[],
  files: Files,
  context: FixContext = {},
): readonly Fix[] {
  const fixes = piecesFor(denials, files, context).map((list) =>
    fixOf(merged(withoutCovered(list))),
  );
  const [short, exact] = fixes;
  return short && exact && short.code === exact.code ? [short] : fixes;
}

/**
 * The same as `fixesFor()`, before it is spelled: of one path, port or preset each, but for ports
 * of one right.
 *
 * @returns The shortest rules and the exact ones; none where no rule can grant it
 */
function piecesFor(
  denials: readonly Denial[],
  files: Files,
  context: FixContext = {},
): readonly (readonly Piece[])[] {
  const name = nameIn(files, context.names ?? []);
  const wanted = wantedBy(denials, context, name);
  if (wanted === undefined) return [];
  const others = [...presetPieces(wanted.presets), ...portPieces(wanted.ports)];
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

/** What the rules have to grant, or nothing where no rule can. */
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

/** Where the path alone is no answer: a program needs its loader, and a process id passes. */
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

/** The name that the user has for a real path, if one of these leads there. */
function nameIn(files: Files, names: readonly string[]): (path: string) => string {
  const known = names
    .filter((name) => name.startsWith("/"))
    .map((name) => [files.find(name, true).path, name] as const);
  return (path) => known.find(([real]) => real === path)?.[1] ?? path;
}

/** The option nearest to rights, which grants no less. */
export function nearestVerb(
  rights: readonly FsRight[],
  isDirectory: boolean,
): Pick<Piece & { kind: "verb" }, "verb" | "with"> {
  const modified = keysOf(rightModifiers);
  const extra = modified.filter((right) => rights.includes(right));
  const plain = rights.filter((right) => !isOneOf(modified, right));
  if (plain.length === 0 && isDirectory) {
    // Who renames between directories makes and removes there too.
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
  const exact: Piece = { kind: "exact", access: rights, paths, nearest };
  const short: Piece = { kind: "verb", ...near, paths };
  // Of renaming, the other rights are there already; an entry is granted on its directory.
  const isExtra = rights.every((right) => isOneOf(keysOf(rightModifiers), right));
  if (wide || isExtra) return { short: exact, exact };
  // On a file, or for reading one's fill of files, the four go hardly beyond it.
  const closeEnough = rights.every((right) => fileRights.includes(right)) && !isDirectory;
  return { short, exact: closeEnough ? short : exact };
}

/** A directory that holds everything, or all that a person has. */
function isWide(path: string): boolean {
  return path === "/" || `${homedir()}/`.startsWith(`${path}/`);
}

/** What a rule for a directory grants needs no rule for what is in it. */
function withoutCovered(pieces: readonly Piece[]): readonly Piece[] {
  const covers = (
    piece: Piece,
    { access, paths: [path] }: { access: readonly FsRight[]; paths: readonly string[] },
  ) =>
    "paths" in piece &&
    `${path}/`.startsWith(`${piece.paths[0]}/`) &&
    access.every((right) => accessOf(piece).includes(right));
  return pieces.filter((piece, i) => {
    const own = { access: accessOf(piece), paths: "paths" in piece ? piece.paths : [] };
    return !pieces.some((other, j) => j !== i && covers(other, own));
  });
}

/** Rules that differ in their paths only become one. */
function merged(pieces: readonly Piece[]): Piece[] {
  const groups = new Map<string, Piece>();
  for (const piece of pieces) {
    const paths = "paths" in piece ? piece.paths : [];
    const key = JSON.stringify({ ...piece, ...(paths.length > 0 ? { paths: [] } : {}) });
    const known = groups.get(key);
    const before = known && "paths" in known ? known.paths : [];
    groups.set(
      key,
      paths.length > 0 ? ({ ...piece, paths: [...before, ...paths] } as Piece) : piece,
    );
  }
  return [...groups.values()];
}

function presetPieces(specs: ReadonlySet<string>): Piece[] {
  return [...specs].map((spec) => ({ kind: "preset", spec }));
}

function portPieces(ports: ReadonlyMap<NetRight, readonly number[]>): Piece[] {
  return [...ports].map(([right, list]) => ({ kind: "port", right, ports: list }));
}
