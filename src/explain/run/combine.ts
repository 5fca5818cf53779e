/** Many rules in few words: one for all paths of the same rights. */
import type { Piece } from "../spell.ts";

const order = ["roDirs", "roFiles", "rwDirs", "rwFiles"];

/** The rules with as few words as they have in common. */
export function combined(pieces: readonly Piece[]): readonly Piece[] {
  const groups = new Map<string, Piece>();
  for (const piece of pieces) {
    const key = keyOf(piece);
    const known = groups.get(key);
    if (known && "paths" in known && "paths" in piece) {
      groups.set(key, { ...known, paths: [...known.paths, ...piece.paths] });
    } else if (known?.kind === "port" && piece.kind === "port") {
      const ports = [...known.ports, ...piece.ports].sort((a, b) => a - b);
      groups.set(key, { ...known, ports });
    } else groups.set(key, piece);
  }
  return [...groups.values()].sort((a, b) => rank(a) - rank(b));
}

function keyOf(piece: Piece): string {
  const missing = "ifMissing" in piece ? piece.ifMissing : "";
  if (piece.kind === "verb") return [piece.verb, ...piece.with, missing].join();
  if (piece.kind === "exact") return JSON.stringify([piece.access, piece.nearest, missing]);
  return piece.kind === "port" ? piece.right : `preset ${piece.spec}`;
}

/** Paths as the help has them, then ports, then presets. */
function rank(piece: Piece): number {
  if (piece.kind === "preset") return order.length + 1;
  const near = piece.kind === "exact" ? piece.nearest : piece.kind === "verb" ? piece : undefined;
  return near === undefined ? order.length : order.indexOf(near.verb);
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
