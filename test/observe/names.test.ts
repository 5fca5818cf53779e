/** Observes names of any bytes: a short run of `names-fuzz.ts`. */
import { expect } from "bun:test";
import { tempDir, testUnless } from "../harness.ts";
import { buildActor } from "./names/actor.ts";
import { tryNames } from "./names/fuzz.ts";
import { needsStrace } from "./strace.ts";

const missing = needsStrace || (Bun.which("gcc") ? "" : "needs gcc");

testUnless(missing, "observations of names of any bytes are what the kernel says", async () => {
  const program = buildActor(tempDir());
  for (const seed of [1, 2, 3]) {
    const { differences, worked, notText } = await tryNames(program, tempDir(), seed, 800);
    expect(differences).toEqual([]);
    // Most draws fail, so some must work for the test to mean anything.
    expect(worked).toBeGreaterThan(100);
    expect(notText).toBeGreaterThan(0);
  }
});
