/** Creates inputs from others: likely typos, and things nobody would type. */
import type { Random } from "../random.ts";

/** Limits growth, because large inputs are only slow. */
const piecesMost = 500;

/** The same kind: two inputs may swap these, and known ones may be inserted. */
interface Material<Piece> {
  readonly pieces: readonly Piece[];
  readonly others: readonly Piece[];
  /** Parts that mean something to the parser. */
  readonly known: readonly Piece[];
}

/** Changes a sequence: removes, moves and duplicates parts, or replaces them with known ones. */
function mutatePieces<Piece>(random: Random, material: Material<Piece>): Piece[] {
  const { others, known } = material;
  const pieces = [...material.pieces];
  for (let changes = 1 + random.below(random.chance(0.5) ? 1 : 4); changes > 0; changes--) {
    const at = random.below(pieces.length + 1);
    const few = 1 + random.below(random.chance(0.1) ? pieces.length + 1 : 2);
    const kind = random.below(5);
    if (kind === 0) pieces.splice(at, few);
    else if (kind === 1) pieces.splice(at, 0, random.one(known));
    else if (kind === 2) pieces.splice(at, 1, random.one(known));
    else if (kind === 3) pieces.splice(at, 0, ...pieces.slice(at, at + few));
    else {
      const from = random.below(others.length + 1);
      pieces.splice(at, random.below(few + 1), ...others.slice(from, from + few));
    }
  }
  return pieces.slice(0, piecesMost);
}

/** Troublesome text: NUL, half a surrogate pair, no-break space, controls, long text. */
export const awkward = [
  "",
  " ",
  "\0",
  "\ud800",
  "\u00a0",
  "\u2028",
  "\ufeff",
  "\r\n",
  "\t",
  "\\",
  '"',
  "'",
  "`",
  "#",
  "${",
  "}",
  "$$",
  "$",
  "~",
  "..",
  "../..",
  "/",
  "//",
  ".",
  "./~",
  "=",
  "-",
  "--",
  "+",
  "é",
  "🔒",
  "a".repeat(300),
  "x/".repeat(2100),
  "__proto__",
  "constructor",
  "toString",
] as const;

/** Numbers at the limits of a port, an ABI, a descriptor, an integer. */
export const numbers = [
  -1,
  0,
  1,
  11,
  12,
  65535,
  65536,
  0.5,
  -0,
  1e21,
  2 ** 31,
  2 ** 53,
  Infinity,
  NaN,
] as const;

/** A changed list of words. */
export function mutateWords(
  random: Random,
  words: readonly string[],
  others: readonly string[],
  known: readonly string[],
): string[] {
  const changed = mutatePieces(random, { pieces: words, others, known: [...known, ...awkward] });
  if (random.chance(0.7)) return changed;
  return changed.map((word) => (random.chance(0.2) ? mutateText(random, word, "", known) : word));
}

/** A text changed by characters, or by the tokens that most formats have. */
export function mutateText(
  random: Random,
  text: string,
  other: string,
  known: readonly string[],
): string {
  const cut = (whole: string) =>
    random.chance(0.8) ? (whole.match(/\s+|\w+|[^\s\w]/gu) ?? []) : [...whole];
  const tokens = [...known, ...awkward, ...numbers.map(String)];
  return mutatePieces(random, { pieces: cut(text), others: cut(other), known: tokens }).join("");
}

/** A value with some part removed, duplicated, or of another kind. */
export function mutateValue(random: Random, value: unknown, known: readonly string[]): unknown {
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (entries.length === 0 || random.chance(0.15)) return drawValue(random, value, known);
  const at = random.below(entries.length);
  const [key, inner] = entries[at]!;
  const kind = random.below(6);
  if (kind === 0) entries.splice(at, 1);
  else if (kind === 1) entries.push([random.one([...known, ...awkward]), random.one(entries)[1]]);
  else if (kind === 2) entries[at] = [key, random.one(entries)[1]];
  else entries[at] = [key, mutateValue(random, inner, known)];
  if (Array.isArray(value)) return entries.map(([, item]) => item);
  // Not by assignment: `__proto__` must become an ordinary key.
  return Object.fromEntries(entries);
}

function drawValue(random: Random, value: unknown, known: readonly string[]): unknown {
  const plain = () => random.one<unknown>([...known, ...awkward, ...numbers, true, false, null]);
  const kind = random.below(8);
  if (kind === 0) return [value];
  if (kind === 1) return { [random.one(known)]: value };
  if (kind === 2) return random.one<unknown>([[], {}, [[]], [null]]);
  if (kind === 3) return [plain(), plain()];
  if (kind === 4) return { [random.one(known)]: plain() };
  if (kind === 5 && typeof value === "string") return mutateText(random, value, "", known);
  return plain();
}
