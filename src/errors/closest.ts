/** Suggests the known name that is closest to a mistyped one. */

/** Ignores case, dashes and underscores, which people confuse most often. */
const plain = (name: string) => name.toLowerCase().replaceAll(/[-_+]/g, "");

/**
 * The number of letters to add, drop, replace or swap with a neighbour to turn one word into the
 * other.
 */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + Number(a[i - 1] !== b[j - 1]);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? before[j - 2]! + 1
          : Infinity;
      next.push(Math.min(replaced, swapped, last[j]! + 1, next[j - 1]! + 1));
    }
    [before, last] = [last, next];
  }
  return last[b.length]!;
}

/**
 * The known name that a word was probably meant to be. The word may be its start, or have a third
 * of its letters wrong.
 */
export function closest(word: string, known: readonly string[]): string | undefined {
  const typed = plain(word).slice(0, 64);
  let best: string | undefined;
  let least = Infinity;
  for (const name of known) {
    const wanted = plain(name);
    const isStart = typed.length > 2 && wanted.startsWith(typed);
    const wrong = isStart ? 1 : distance(typed, wanted);
    const most = Math.max(Number(wanted.length > 1), Math.floor(wanted.length / 3));
    if (wrong <= most && wrong < Math.max(typed.length, 1) && wrong < least) {
      [best, least] = [name, wrong];
    }
  }
  return best;
}

/**
 * The end of a message about a wrong name: `did you mean "rw"?`, or `use ro, rw`.
 *
 * @param use The start of the second form
 */
export function instead(word: unknown, known: readonly string[], use = "use"): string {
  const near = typeof word === "string" && known.length > 1 ? closest(word, known) : undefined;
  return near === undefined
    ? `${use} ${known.join(", ")}`
    : `did you mean ${JSON.stringify(near)}?`;
}
