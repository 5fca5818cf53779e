/** Draws and runs worlds until there are enough operations. */
import { drawWorld } from "./draw.ts";
import { runWorld, type RunSettings } from "./run-world.ts";
import { Totals } from "./totals.ts";
import type { Privileges } from "./world.ts";

/** How many operations a world has: few, so that there are many rulesets. */
const trialsPerWorld = 100;
/** Each process mostly waits for the kernel; two keep two CPUs busy. */
const lanes = 2;

/** Settings of `explore()`. */
export interface Exploration {
  readonly seed: number;
  /** How many operations at least. */
  readonly operations: number;
  readonly privileges: Privileges;
  readonly settings: RunSettings;
  /** Is told now and then how far it is. */
  readonly onWorld?: (totals: Totals) => void;
}

/** Runs world after world; ends early at the first mismatch. */
export async function explore(exploration: Exploration): Promise<Totals> {
  const { seed, operations, privileges, settings, onWorld } = exploration;
  const totals = new Totals();
  let started = 0;
  const lane = async (): Promise<void> => {
    while (totals.operations < operations && totals.mismatches.length === 0) {
      const own = (seed + started++) >>> 0;
      const world = drawWorld(own, privileges, trialsPerWorld);
      totals.add(world, await runWorld(world, privileges, settings), own);
      onWorld?.(totals);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return totals;
}
