/** Tries one input after another; inputs with a new outcome become parents of later ones. */
import { randomOf } from "../random.ts";
import type { Target } from "./target.ts";

/** Prefixes of the deepest outcomes: inputs worth repeating. */
export const accepted = "accepted";

export interface Outcome<Input> {
  readonly tries: number;
  /** Inputs with a new outcome, including seeds. */
  readonly known: readonly Input[];
  readonly failure?: { readonly input: Input; readonly error: unknown };
}

/**
 * Fuzzes until something fails or `goesOn` returns false.
 *
 * @param seed Equal seeds give equal runs
 * @param goesOn Called before each try, with the number of earlier ones
 */
export function fuzz<Input>(
  target: Target<Input>,
  seed: number,
  goesOn: (tries: number, outcomes: number) => boolean,
): Outcome<Input> {
  const random = randomOf(seed);
  const outcomes = new Set<string>();
  const known: Input[] = [];
  const fails = (input: Input) => {
    try {
      target.check(input);
      return false;
    } catch {
      return true;
    }
  };
  for (let tries = 0; ; tries++) {
    const at = tries;
    if (at >= target.seeds.length && !goesOn(tries, outcomes.size)) return { tries, known };
    const input = target.seeds[at] ?? target.mutate(random, known);
    try {
      const outcome = target.check(input);
      if (outcomes.has(outcome)) continue;
      outcomes.add(outcome);
      known.push(input);
      if (outcome.startsWith(accepted)) known.push(input, input, input);
    } catch (error) {
      return { tries, known, failure: { input: target.shrink(input, fails), error } };
    }
  }
}

/**
 * Removes parts of a list, first halves and at last single items.
 *
 * @param fails Whether a list still fails
 */
export function shrinkList<Piece>(
  pieces: readonly Piece[],
  fails: (pieces: readonly Piece[]) => boolean,
): readonly Piece[] {
  let smallest = pieces;
  for (let size = Math.ceil(pieces.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < smallest.length;) {
      const without = [...smallest.slice(0, at), ...smallest.slice(at + size)];
      if (without.length < smallest.length && fails(without)) smallest = without;
      else at += size;
    }
  }
  return smallest;
}

/** The same for a text, by characters. */
export function shrinkText(text: string, fails: (text: string) => boolean): string {
  return shrinkList([...text], (characters) => fails(characters.join(""))).join("");
}
