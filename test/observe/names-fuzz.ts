/** Observes operations on names of any bytes: bun test/observe/names-fuzz.ts COUNT [SEED] */
import { fuzz } from "../random.ts";
import { buildActor } from "./names/actor.ts";
import { tryNames } from "./names/fuzz.ts";

/** Operations of one run; few, because directories and links accumulate. */
const size = 2000;
let program: string | undefined;

await fuzz("operations", async (seed, folder, home) => {
  program ??= buildActor(home);
  const { operations, differences } = await tryNames(program, folder, seed, size);
  return { tried: operations, differences };
});
