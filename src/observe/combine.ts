/** Many rules as few: what one of them grants, no other one has to grant again. */
import { pathVerbs, type Piece } from "../explain/spell.ts";
import type { FsRight } from "../kernel/abi.ts";

/**
 * Each path, port and preset by itself, and none twice: paths that lie beneath another one with no
 * less rights are left out.
 */
export function atomsOf(pieces: readonly Piece[]): readonly Piece[] {
  const single = pieces.flatMap((piece): Piece[] => {
    if (piece.kind === "preset") return [piece];
    if (piece.kind === "port") return piece.ports.map((port) => ({ ...piece, ports: [port] }));
    return piece.paths.map((path) => ({ ...piece, paths: [path] }));
  });
  const once = [...new Map(single.map((piece) => [JSON.stringify(piece), piece])).values()];
  return once.filter((piece) => !once.some((other) => other !== piece && covers(other, piece)));
}

function accessOf(piece: Piece): readonly FsRight[] {
  if (piece.kind === "exact") return piece.access;
  return piece.kind === "verb" ? [...pathVerbs[piece.verb]().access, ...piece.with] : [];
}

/** Whether all that one rule grants is granted by another one; of equals, the first one covers. */
function covers(other: Piece, piece: Piece): boolean {
  if (!("paths" in other) || !("paths" in piece)) return false;
  const [directory, path] = [other.paths[0]!, piece.paths[0]!];
  if (path !== directory && !path.startsWith(directory === "/" ? "/" : `${directory}/`)) {
    return false;
  }
  const [more, less] = [accessOf(other), accessOf(piece)];
  return (
    less.every((right) => more.includes(right)) && (path !== directory || more.length > less.length)
  );
}

const order = ["roDirs", "roFiles", "rwDirs", "rwFiles"];

/** The rules with as few words as they have in common: one for all paths of the same rights. */
export function combined(atoms: readonly Piece[]): readonly Piece[] {
  const groups = new Map<string, Piece>();
  for (const atom of atoms) {
    const key = keyOf(atom);
    const known = groups.get(key);
    if (known && "paths" in known && "paths" in atom) {
      groups.set(key, { ...known, paths: [...known.paths, ...atom.paths] });
    } else if (known?.kind === "port" && atom.kind === "port") {
      const ports = [...known.ports, ...atom.ports].sort((a, b) => a - b);
      groups.set(key, { ...known, ports });
    } else groups.set(key, atom);
  }
  return [...groups].sort(([a], [b]) => rank(a) - rank(b)).map(([, piece]) => piece);
}

function keyOf(piece: Piece): string {
  if (piece.kind === "verb") return [piece.verb, ...piece.with].join();
  if (piece.kind === "exact") return JSON.stringify([piece.access, piece.nearest]);
  return piece.kind === "port" ? piece.right : `preset ${piece.spec}`;
}

/** Paths as the help has them, then ports, then presets. */
function rank(key: string): number {
  const at = order.indexOf(key.split(",")[0]!);
  if (at >= 0) return at;
  return key.startsWith("preset") ? order.length + 1 : order.length;
}

/**
 * Words for `landlock-restrict`: an option stands once for all that follows it.
 *
 * @param flags The words of each rule
 */
export function joinFlags(flags: readonly (readonly string[])[]): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const words of flags) {
    const start = words.findIndex((word, i) => i > 0 && !word.startsWith("+"));
    if (start < 0) continue;
    const option = words.slice(0, start).join(" ");
    groups.set(option, [...(groups.get(option) ?? []), ...words.slice(start)]);
  }
  return [...groups].flatMap(([option, values]) => [...option.split(" "), ...new Set(values)]);
}
