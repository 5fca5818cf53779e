/** Makes a failing input small: whatever can go goes, as long as it still fails. */

/**
 * Takes pieces out of a list, halves first and single ones in the end.
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

/** The same for a text, by its characters. */
export function shrinkText(text: string, fails: (text: string) => boolean): string {
  return shrinkList([...text], (characters) => fails(characters.join(""))).join("");
}
