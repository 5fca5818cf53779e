/** Threads that start and end, memory that fills and is collected, and reads meanwhile. */
import { readOn, type Tally } from "./load.ts";

const litter = `
  const litter = () => {
    let kept;
    for (let i = 0; i < 200; i++) kept = Array.from({ length: 50 }, (_, j) => ({ i, j, kept: "x" + j }));
    Bun.gc(true);
    return kept;
  };`;

/** Reads once in each way and reports the outcome; its creator ends it. */
const shortLived = `
  import * as fs from "node:fs";
  ${litter}
  onmessage = async ({ data: [shared, path] }) => {
    const once = async (read) => {
      const when = Atomics.load(shared, 0) === 1 ? "after" : "before";
      try {
        await read();
        return [when, "ok"];
      } catch (error) {
        return [when, error.code];
      }
    };
    litter();
    postMessage([
      await once(() => fs.readFileSync(path)),
      await once(() => fs.promises.readFile(path)),
      await once(() => Bun.file(path).text()),
    ]);
    for (;;) litter();
  };
  postMessage([]);`;

/** Starts and ends Workers in turn, while the main thread is in the call. */
const starter = `
  const shortLived = ${JSON.stringify(shortLived)};
  const url = URL.createObjectURL(new Blob([shortLived], { type: "text/javascript" }));
  onmessage = async ({ data: [shared, more, path] }) => {
    const tally = { before: {}, after: {} };
    for (let left = more; left > 0; Atomics.add(shared, 1, 1)) {
      if (Atomics.load(shared, 0) === 1) left--;
      const worker = new Worker(url);
      const answer = () => new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      });
      await answer();
      worker.postMessage([shared, path]);
      for (const [when, outcome] of await answer())
        tally[when][outcome] = (tally[when][outcome] ?? 0) + 1;
      worker.terminate();
    }
    postMessage([tally]);
  };
  postMessage([]);`;

/** Stays, and fills its memory between reads. */
const collector = `
  import * as fs from "node:fs";
  ${litter}
  const readOn = ${readOn.toString()};
  onmessage = async ({ data: [shared, more, path] }) => {
    const read = (how) => () => (litter(), how());
    postMessage(await Promise.all([
      readOn(shared, more, read(() => fs.readFileSync(path))),
      readOn(shared, more, read(() => fs.promises.readFile(path))),
      readOn(shared, more, read(() => Bun.file(path).text())),
    ]));
  };
  postMessage([]);`;

/** A Worker whose last message is its tallies. */
async function start(
  source: string,
  shared: Int32Array,
  more: number,
  path: string,
): Promise<{ readonly tallies: Promise<readonly Tally[]> }> {
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const answer = () =>
    new Promise<readonly Tally[]>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  await answer();
  const tallies = answer();
  worker.postMessage([shared, more, path]);
  return { tallies };
}

export const startStarter = (shared: Int32Array, more: number, path: string) =>
  start(starter, shared, more, path);

export const startCollector = (shared: Int32Array, more: number, path: string) =>
  start(collector, shared, more, path);
