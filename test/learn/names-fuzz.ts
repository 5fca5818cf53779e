/**
 * Puts random names through `explain` and `learn`: bun test/learn/names-fuzz.ts COUNT [SEED]
 *
 * Ends with 1 where something is not as it was worked out.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomOf } from "../random.ts";
import { tryRound } from "./names/round.ts";

/** Operations of one script: more make it slower each, fewer pay for starting more often. */
const size = 300;

const [, , words = "10000", seedWord] = process.argv;
const count = Number(words);
const seed = seedWord === undefined ? Date.now() % 2 ** 31 : Number(seedWord);
if (!Number.isInteger(count) || !Number.isInteger(seed)) {
  console.error("how many names, and a seed: two integers");
  process.exit(2);
}
const began = performance.now();
let [names, operations, rounds, differences] = [0, 0, 0, 0];
const root = mkdtempSync(join(tmpdir(), "landlock-names-"));
const folder = join(root, "round");
try {
  for (; names < count; rounds++) {
    mkdirSync(folder);
    const round = await tryRound(randomOf(seed + rounds), folder, size);
    names += round.names;
    operations += round.operations;
    differences += round.differences.length;
    for (const one of round.differences.slice(0, 5)) console.log(`seed ${seed + rounds}: ${one}`);
    rmSync(folder, { recursive: true, force: true });
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(
  `seed ${seed}: ${names} names, ${operations} operations in ${rounds} runs, ${differences} differences, ${seconds} s`,
);
process.exit(differences === 0 ? 0 : 1);
