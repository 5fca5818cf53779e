/** Random draws for tests, repeatable by their seed. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * mulberry32: small, and the same on every machine.
 *
 * @param seed An integer; equal seeds give equal draws
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
/** Each draw advances its state. */
export type Random = ReturnType<typeof randomOf>;

/** The result of one fuzzer run. */
interface Round {
  /** How many things were tried. */
  readonly tried: number;
  readonly differences: readonly string[];
}

/**
 * Runs a fuzzer as a program, `COUNT [SEED]`, each round in an empty folder until enough was tried.
 * Exits with 1 if a result differs from the expected one.
 *
 * @param what What is counted, such as `"names"`
 * @param round Runs once in `folder`; `home` is a folder that all rounds share
 */
export async function fuzz(
  what: string,
  round: (seed: number, folder: string, home: string) => Promise<Round>,
): Promise<never> {
  const [, , words = "10000", seedWord] = process.argv;
  const count = Number(words);
  const seed = seedWord === undefined ? Date.now() % 2 ** 31 : Number(seedWord);
  if (!Number.isInteger(count) || !Number.isInteger(seed)) {
    console.error(`how many ${what}, and a seed: two integers`);
    process.exit(2);
  }
  const began = performance.now();
  let [tried, rounds, wrong] = [0, 0, 0];
  const home = mkdtempSync(join(tmpdir(), "landlock-names-"));
  const folder = join(home, "run");
  try {
    for (; tried < count; rounds++) {
      mkdirSync(folder);
      const { tried: more, differences } = await round(seed + rounds, folder, home);
      rmSync(folder, { recursive: true, force: true });
      tried += more;
      wrong += differences.length;
      for (const one of differences.slice(0, 5)) console.log(`seed ${seed + rounds}: ${one}`);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(
    `seed ${seed}: ${tried} ${what} in ${rounds} runs, ${wrong} differences, ${seconds} s`,
  );
  process.exit(wrong === 0 ? 0 : 1);
}
