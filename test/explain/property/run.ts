/**
 * The long run of the property test.
 *
 *     bun test/explain/property/run.ts [SEED [OPERATIONS]]
 *     bun test/explain/property/run.ts WORLD
 *
 * It retries a world that is given as JSON, in the form that a failure prints.
 */
import { probe } from "../../../src/index.ts";
import { explore } from "./explore.ts";
import { explain, Totals } from "./totals.ts";
import { privilegesHere, runWorld } from "./run-world.ts";
import type { World } from "./world.ts";

const operationsByDefault = 20_000;
const settings = { timeoutMs: 60_000, wrong: true };
const everyMs = 10_000;

async function main([first, second]: readonly string[]): Promise<Totals> {
  const privileges = privilegesHere();
  if (first?.startsWith("{")) {
    const world = JSON.parse(first) as World;
    const totals = new Totals();
    totals.add(world, await runWorld(world, privileges, settings));
    return totals;
  }
  const seed = Number(first ?? Date.now() % 2 ** 32);
  console.log(`seed ${seed}, Landlock ABI ${probe().abi}, mounts: ${privileges.unshare.join(" ")}`);
  let said = performance.now();
  return explore({
    seed,
    operations: Number(second ?? operationsByDefault),
    privileges,
    settings,
    onWorld(totals) {
      if (performance.now() - said < everyMs) return;
      said = performance.now();
      console.log(totals.summary());
    },
  });
}

const begun = performance.now();
const totals = await main(process.argv.slice(2));
console.log(`${totals.table()}\n`);
console.log(totals.coverage());
for (const [name, count] of totals.caught)
  console.log(`a model that ${name}: caught ${count} times`);
console.log(`${totals.summary()} [${((performance.now() - begun) / 1000).toFixed(1)} s]`);
const [mismatch] = totals.mismatches;
if (mismatch) {
  console.log(await explain(mismatch, privilegesHere(), settings.timeoutMs));
  process.exitCode = 1;
}
