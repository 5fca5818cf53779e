/** `opens.ts LAYERS FILE`: ns to open and close a file under LAYERS layers. */
import { closeSync, openSync } from "node:fs";
import { landlock, roDirs } from "../../../src/index.ts";

const [layers, file] = process.argv.slice(2);
for (let i = 0; i < Number(layers); i++) landlock.V3.restrictPaths(roDirs("/"));

function nanoseconds(times: number): number {
  const begun = Bun.nanoseconds();
  for (let i = 0; i < times; i++) closeSync(openSync(file!, "r"));
  return (Bun.nanoseconds() - begun) / times;
}

nanoseconds(5_000);
console.log(JSON.stringify([nanoseconds(20_000)]));
