/** Fuzzes `explain` and `learn` with random names: bun test/learn/names-fuzz.ts COUNT [SEED] */
import { fuzz, randomOf } from "../random.ts";
import { tryRound } from "./names/round.ts";

/** Operations of one script: more slow down each, fewer make start-ups dominate. */
const size = 300;

await fuzz("names", async (seed, folder) => {
  const { names, differences } = await tryRound(randomOf(seed), folder, size);
  return { tried: names, differences };
});
