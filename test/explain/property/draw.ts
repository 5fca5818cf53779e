/** Draws a world from a seed. */
import { randomOf } from "../../random.ts";
import { drawFiles } from "./draw-files.ts";
import { drawLayers } from "./draw-layers.ts";
import { trialsOf } from "./draw-trials.ts";
import type { Privileges, World } from "./world.ts";

/**
 * The same world for the same seed, as far as privileges allow.
 *
 * @param trials How many operations
 */
export function drawWorld(seed: number, privileges: Privileges, trials: number): World {
  const random = randomOf(seed);
  const mounts = random.chance(0.5) && privileges.unshare.length > 0;
  const drawn = drawFiles(
    random,
    mounts ? { ...privileges, devices: privileges.devices } : privileges,
    mounts,
  );
  const layers = drawLayers(random, drawn);
  const next = trialsOf(random, drawn);
  return { steps: drawn.steps, layers, trials: Array.from({ length: trials }, next), mounts };
}
