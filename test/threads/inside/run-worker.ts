/** The Worker of `run.ts`. */
import { runner, type Run } from "./run.ts";

declare const self: Worker;

let run: Run<unknown>;

self.onmessage = async ({ data }) => {
  if ("place" in data) {
    postMessage(await run(data.place));
    return;
  }
  run = await runner(false, data.module, data.group);
  postMessage({});
};
