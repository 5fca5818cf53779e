/** The Worker of `callers.ts`. */
import * as fs from "node:fs";
import { landlock, outcome, outcomeOf, roDirs } from "../../inside.ts";

declare const self: Worker;

self.onmessage = async ({ data }) => {
  if (typeof data === "string") {
    postMessage({
      sync: outcome(() => fs.readFileSync(data)),
      promise: await outcomeOf(() => fs.promises.readFile(data)),
      bun: await outcomeOf(() => Bun.file(data).text()),
    });
    return;
  }
  const [shared, granted] = data as [Int32Array, string[]];
  postMessage("up");
  Atomics.wait(shared, 0, 0);
  let method = "none";
  const called = outcome(() => {
    method = landlock.V1.restrictPaths(roDirs(...granted)).threads.method;
  });
  postMessage({ outcome: called, method });
};
