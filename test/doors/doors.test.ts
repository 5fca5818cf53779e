/** Nothing of a stranger's folder runs or decides before the sandbox: the quick part of `run.ts`. */
import { beforeAll, expect, test } from "bun:test";
import { patience, testFromAbi } from "../harness.ts";
import { installPacked } from "../packed.ts";
import { entries } from "./entries.ts";
import { places } from "./scene.ts";
import { inParallel, isLive, tryOut, type Trial } from "./table.ts";
import { kits } from "./traps.ts";

let installed = "";
beforeAll(async () => {
  installed = await installPacked();
}, patience(60_000));

test(
  "each planted file is obeyed by a plain Bun, npx or shell",
  async () => {
    const traps = kits.flatMap((kit) => kit.traps);
    const live = await inParallel(traps, (trap) => isLive(installed, trap));
    expect(traps.filter((_, i) => !live[i]).map(({ name }) => name)).toEqual([]);
  },
  patience(60_000),
);

/** Each entry in its first way, and the first entry in each; the slow ones in one place each. */
const trials: Trial[] = kits.flatMap((kit) =>
  places.map((place, at) => ({
    kit,
    places: [place],
    starts: entries.flatMap((entry, i) => {
      if (entry.slow && i % places.length !== at) return [];
      const isFirst = entries.findIndex(({ ways }) => ways === entry.ways) === i;
      return entry.ways.slice(0, isFirst ? undefined : 1).map((way) => [entry, way] as const);
    }),
  })),
);

testFromAbi(
  1,
  "no program obeys a stranger's file, however it is started",
  async () => {
    const results = await inParallel(trials, (trial) => tryOut(installed, trial));
    expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(results.every(({ count }) => count > 0)).toBe(true);
  },
  120_000,
);
