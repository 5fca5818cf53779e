/** Many rules as few: what one of them grants, no other one has to grant again. */
import { accessOf, type Piece } from "../spell.ts";

/**
 * Each path, port and preset by itself, and none twice: paths that lie beneath another one with no
 * less rights are left out.
 *
 * @param real A path without symbolic links: a link may lead out of the directory that it is in
 */
export function atomsOf(
  pieces: readonly Piece[],
  real: (path: string) => string,
): readonly Piece[] {
  const single = pieces.flatMap((piece): Piece[] => {
    if (piece.kind === "preset") return [piece];
    if (piece.kind === "port") return piece.ports.map((port) => ({ ...piece, ports: [port] }));
    return piece.paths.map((path) => ({ ...piece, paths: [path] }));
  });
  const once = [...new Map(single.map((piece) => [JSON.stringify(piece), piece])).values()];
  const placeOf = (piece: Piece) => ("paths" in piece ? real(piece.paths[0]!) : "");
  const places = Map.groupBy(once, placeOf);
  return once.filter((piece) => {
    if (!("paths" in piece)) return true;
    const place = placeOf(piece);
    const isMore = (other: Piece, path: string) => {
      const [more, less] = [accessOf(other), accessOf(piece)];
      const isAbove = path !== place || more.length > less.length;
      return isAbove && less.every((right) => more.includes(right));
    };
    const ways = [...new Set(ancestorsOf(place))];
    return !ways.some((path) => places.get(path)?.some((other) => isMore(other, path)));
  });
}

/** A path, and the directories that it is in. */
export function* ancestorsOf(path: string): Generator<string> {
  for (let next = path; next !== ""; next = next.slice(0, next.lastIndexOf("/"))) yield next;
  yield "/";
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
