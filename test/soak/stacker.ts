/**
 * Stacks layers up to the kernel's limit; no layer may keep more open than the ones before.
 * `layers.ts` starts it.
 */
import { readdirSync } from "node:fs";
import { landlock, LandlockError, roDirs } from "../../src/index.ts";

const config = landlock.V11.bestEffort();
let layers = 0;
let first = 0;
try {
  for (; layers < 17; layers++) {
    config.restrictPaths(roDirs("/proc", "/usr", import.meta.dir));
    const open = readdirSync("/proc/self/fd").length;
    first ||= open;
    if (open !== first) throw new Error(`layer ${layers + 1} leaves ${open - first} files open`);
  }
} catch (error) {
  if (!(error instanceof LandlockError) || error.code !== "ERR_LANDLOCK_TOO_MANY_LAYERS")
    throw error;
}
console.log(`${layers} layers`);
