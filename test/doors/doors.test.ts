/**
 * Nothing in an untrusted folder runs or decides before the sandbox: the quick part of `run.ts`.
 */
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

/**
 * Tries a program's first entry in every way, with each kit in the current directory. For other
 * places and entries, the ways take turns.
 */
const trials: Trial[] = kits.flatMap((kit, k) =>
  places.map((place, at) => ({
    kit,
    places: [place],
    starts: entries.flatMap((entry, i) => {
      const isFirst = entries.findIndex(({ ways }) => ways === entry.ways) === i;
      const shares = entry.slow || !isFirst ? entry.ways.length : place === "cwd" ? 1 : 4;
      if (entry.slow && (i + k) % places.length !== at) return [];
      const turn = i + k + at;
      return entry.ways
        .filter((_, w) => (w + turn) % shares === 0)
        .map((way) => [entry, way] as const);
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
  patience(300_000),
);
