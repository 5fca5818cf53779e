/** Puts random names through `explain` and `learn`: bun test/learn/names-fuzz.ts COUNT [SEED] */
import { fuzz, randomOf } from "../random.ts";
import { tryRound } from "./names/round.ts";

/** Operations of one script: more make it slower each, fewer pay for starting more often. */
const size = 300;

await fuzz("names", async (seed, folder) => {
  const { names, differences } = await tryRound(randomOf(seed), folder, size);
  return { tried: names, differences };
});
