/** Draws for tests, repeatable by their seed. */

/**
 * mulberry32: small, and the same on every machine.
 *
 * @param seed An integer; the same one draws the same
 */
export function randomOf(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number) => Math.floor(next() * count);
  return {
    below,
    chance: (share: number) => next() < share,
    one: <Item>(items: readonly Item[]) => items[below(items.length)]!,
    some: <Item>(items: readonly Item[]) => items.filter(() => next() < 0.5),
    shuffled: <Item>(items: readonly Item[]) =>
      items
        .map((item) => ({ item, key: next() }))
        .sort((a, b) => a.key - b.key)
        .map(({ item }) => item),
  };
}
/** Draws one after the other. */
export type Random = ReturnType<typeof randomOf>;
