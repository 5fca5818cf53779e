/**
 * Draws files, rulesets and operations, runs the operations in the rulesets, and compares each
 * outcome with the model's. One run has a fixed seed and proves that the test notices wrong models.
 * The other draws anew each time: `LANDLOCK_PROPERTY_SEED` repeats it,
 * `LANDLOCK_PROPERTY_OPERATIONS` makes it longer.
 */
import { expect } from "bun:test";
import { kernelAbi, patience, testFromAbi } from "../harness.ts";
import { explore } from "./property/explore.ts";
import { explain, type Totals } from "./property/totals.ts";
import { privilegesHere, runWorld } from "./property/run-world.ts";
import type { Step, Trial, World } from "./property/world.ts";
import { wrongModels } from "./property/wrong.ts";

const fixedSeed = 4500;
const seed = Number(process.env["LANDLOCK_PROPERTY_SEED"] ?? Date.now() % 2 ** 32);
const operations = Number(process.env["LANDLOCK_PROPERTY_OPERATIONS"] ?? 600);
const timeoutMs = patience(30_000);
/** Time limit for 600 operations, in milliseconds; a longer run gets more. */
const runMs = 60_000;

async function run(seed: number, operations: number, wrong: boolean): Promise<Totals> {
  const privileges = privilegesHere();
  const totals = await explore({
    seed,
    operations,
    privileges,
    settings: { timeoutMs, wrong },
  });
  console.log(`note: LANDLOCK_PROPERTY_SEED=${seed}, ABI ${kernelAbi}: ${totals.summary()}`);
  const [mismatch] = totals.mismatches;
  if (mismatch) throw new Error(await explain(mismatch, privileges, timeoutMs));
  return totals;
}

testFromAbi(
  1,
  "the kernel decides as the model says, and as no model that is wrong in one point",
  async () => {
    const totals = await run(fixedSeed, 600, true);
    expect(totals.allowed).toBeGreaterThan(50);
    expect(totals.denied).toBeGreaterThan(50);
    expect(totals.deniedWith("EXDEV")).toBeGreaterThan(5);
    const applicable = Object.keys(wrongModels).filter((name) => {
      if (name === "forgets truncate") return kernelAbi >= 3;
      // Below ABI 4 there are no such layers.
      if (name.includes("something else")) return kernelAbi >= 4;
      return true;
    });
    for (const name of applicable) {
      expect([name, totals.caught.get(name)! > 0]).toEqual([name, true]);
    }
  },
  runMs,
);

testFromAbi(
  1,
  "the kernel decides as the model says, whatever the files, rulesets and operations",
  async () => {
    const totals = await run(seed, operations, false);
    expect(totals.operations).toBeGreaterThanOrEqual(operations);
    console.log(`note: ${totals.coverage()}`);
  },
  runMs * Math.max(1, operations / 600),
);

testFromAbi(1, "a world without mounts of its own mounts nothing on this machine", async () => {
  const steps: readonly Step[] = [
    { make: "directory", path: "a" },
    { make: "directory", path: "b" },
    { make: "bind", path: "b", from: "a" },
  ];
  const trials: readonly Trial[] = [
    // Renaming a mount point fails with EBUSY.
    { operation: { kind: "rename", path: "b", to: "c" } },
    { operation: { kind: "open", path: "c", read: true } },
  ];
  const world: World = { steps, trials, layers: [], mounts: false };
  const { outcomes } = await runWorld(world, privilegesHere(), { timeoutMs, wrong: false });
  expect(outcomes.map((outcome) => outcome?.actual)).toEqual(["ok", "ok"]);
});
