/**
 * Operations on names of any bytes, as they are observed: bun test/observe/names-fuzz.ts COUNT [SEED]
 *
 * Ends with 1 where an observation is not what the kernel says.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildActor } from "./names/actor.ts";
import { tryNames } from "./names/fuzz.ts";

/** Operations of one run: directories and links add up, and each run has names of its own. */
const size = 2000;

const [, , words = "10000", seedWord] = process.argv;
const count = Number(words);
const seed = seedWord === undefined ? Date.now() % 2 ** 31 : Number(seedWord);
if (!Number.isInteger(count) || !Number.isInteger(seed)) {
  console.error("how many operations, and a seed: two integers");
  process.exit(2);
}
const began = performance.now();
let [operations, worked, notText, differences] = [0, 0, 0, 0];
const top = mkdtempSync(join(tmpdir(), "landlock-names-"));
const folder = join(top, "run");
try {
  const program = buildActor(top);
  for (let run = 0; operations < count; run++) {
    mkdirSync(folder);
    const outcome = await tryNames(program, folder, seed + run, size);
    operations += outcome.operations;
    worked += outcome.worked;
    notText += outcome.notText;
    differences += outcome.differences.length;
    for (const one of outcome.differences.slice(0, 5)) console.log(`seed ${seed + run}: ${one}`);
    rmSync(folder, { recursive: true, force: true });
  }
} finally {
  rmSync(top, { recursive: true, force: true });
}
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(
  `seed ${seed}: ${operations} operations, ${worked} of them worked, ${notText} on names that are not UTF-8, ${differences} differences, ${seconds} s`,
);
process.exit(differences === 0 ? 0 : 1);
