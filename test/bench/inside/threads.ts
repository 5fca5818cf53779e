/**
 * `threads.ts COUNT LIBRARY`: µs to restrict a process of COUNT threads with a ruleset that is
 * already built. Measures the first time, and the second, which adds a layer.
 */
import { dlopen } from "bun:ffi";
import { landlock, roDirs } from "../../../src/index.ts";

const [count, library] = process.argv.slice(2);
const crowd = dlopen(library!, { crowd_grow: { args: ["i32"], returns: "i32" } }).symbols;
const rulesets = [0, 1].map(() => landlock.V3.ruleset(roDirs("/usr", "/proc")));
const grown = crowd.crowd_grow(Number(count));
if (grown > Number(count)) throw new Error(`Bun has ${grown} threads by itself`);

const times = rulesets.map((ruleset) => {
  const begun = Bun.nanoseconds();
  ruleset.restrictSelf();
  return (Bun.nanoseconds() - begun) / 1e3;
});
await Bun.write(Bun.stdout, `${JSON.stringify(times)}\n`);
process.exit(0);
