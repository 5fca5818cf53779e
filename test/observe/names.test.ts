/** Names of any bytes, as they are observed: what `names-fuzz.ts` tries for long, for a moment. */
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
    // Most of what is drawn fails; too little that works would show nothing.
    expect(worked).toBeGreaterThan(100);
    expect(notText).toBeGreaterThan(0);
  }
});
