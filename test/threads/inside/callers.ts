/** Workers that restrict the process, all at the same moment if need be, and then read files. */
import type { Outcomes } from "./observe.ts";

/** What the Workers wait for; with 1 they need not. */
export function gate(open = 0): Int32Array {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  shared[0] = open;
  return shared;
}

export interface Caller {
  /** How its `restrictPaths()` went. */
  readonly answer: Promise<{ readonly outcome: string; readonly method: string }>;
  readonly read: (path: string) => Promise<Outcomes>;
}

/** Resolves when it waits at the gate. */
export async function startCaller(shared: Int32Array, granted: readonly string[]): Promise<Caller> {
  const worker = new Worker(new URL("caller.ts", import.meta.url));
  const message = <Data>() =>
    new Promise<Data>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  const up = message();
  worker.postMessage([shared, granted]);
  await up;
  const answer = message<{ outcome: string; method: string }>();
  return {
    answer,
    read(path) {
      worker.postMessage(path);
      return message();
    },
  };
}
