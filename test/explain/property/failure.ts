/** What to say about a trial that did not end as the model says. */
import { runWorld } from "./run-world.ts";
import { shrink } from "./shrink.ts";
import type { Mismatch } from "./totals.ts";
import type { Privileges } from "./world.ts";

/** The failure, shrunk, as a text with a command that repeats it. */
export async function explain(
  { seed, index, world, outcome }: Mismatch,
  privileges: Privileges,
  timeoutMs: number,
): Promise<string> {
  const settings = { timeoutMs, wrong: false };
  const fails = async (smaller: typeof world) => {
    const { outcomes } = await runWorld(smaller, privileges, settings);
    return outcomes.some((one) => one && one.expected !== one.actual && one.kind === outcome.kind);
  };
  const cut = { ...world, trials: world.trials.slice(0, index + 1) };
  const small = await shrink((await fails(cut)) ? cut : world, fails);
  const { outcomes } = await runWorld(small, privileges, settings);
  return [
    `The kernel and the model differ, seed ${seed}, operation ${index}: ${JSON.stringify(outcome)}`,
    `shrunk to ${JSON.stringify(outcomes)}`,
    `bun test/explain/property/run.ts '${JSON.stringify(small)}'`,
  ].join("\n");
}
