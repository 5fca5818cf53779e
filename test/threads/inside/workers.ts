/** Workers that read a file on request, in each way that uses another thread. */
import { Worker as NodeWorker } from "node:worker_threads";
import type { Outcomes } from "./observe.ts";

/** Imports no files, so that it can start inside any sandbox. */
const script = `
  import * as fs from "node:fs";
  const outcomeOf = async (read) => {
    try {
      await read();
      return "ok";
    } catch (error) {
      return error.code;
    }
  };
  async function read(path) {
    return {
      sync: await outcomeOf(async () => fs.readFileSync(path)),
      callback: await outcomeOf(
        () => new Promise((resolve, reject) =>
          fs.readFile(path, (error) => error ? reject(error) : resolve())),
      ),
      promise: await outcomeOf(() => fs.promises.readFile(path)),
      bun: await outcomeOf(() => Bun.file(path).text()),
    };
  }
`;

export type Reader = (path: string) => Promise<Outcomes>;

/** Resolves when the Worker runs. */
export async function nodeWorker(): Promise<Reader> {
  const source = `${script}
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", async (path) => parentPort.postMessage(await read(path)));
    parentPort.postMessage("up");`;
  const worker = new NodeWorker(
    new URL(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`),
  );
  const answer = () =>
    new Promise<Outcomes>((resolve, reject) => {
      worker.once("message", resolve).once("error", reject);
    });
  await answer();
  return (path) => {
    worker.postMessage(path);
    return answer();
  };
}

/** Resolves when the Worker runs. */
export async function webWorker(): Promise<Reader> {
  const source = `${script}
    onmessage = async ({ data }) => postMessage(await read(data));
    postMessage("up");`;
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const answer = () =>
    new Promise<Outcomes>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  await answer();
  return (path) => {
    worker.postMessage(path);
    return answer();
  };
}
