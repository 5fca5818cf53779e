/** Draws and runs worlds until there are enough operations. */
import { drawWorld } from "./draw.ts";
import { runWorld, type RunSettings } from "./run-world.ts";
import { Totals } from "./totals.ts";
import type { Privileges } from "./world.ts";

/** Operations of one world: few, so that there are many rulesets. */
const trialsPerWorld = 100;
/** Each process mostly waits for the kernel, so two keep two CPUs busy. */
const lanes = 2;

export interface Exploration {
  readonly seed: number;
  /** Minimum number of operations. */
  readonly operations: number;
  readonly privileges: Privileges;
  readonly settings: RunSettings;
  /** Called now and then with the progress. */
  readonly onWorld?: (totals: Totals) => void;
}

/** Runs one world after another; stops at the first mismatch. */
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
