/** Workers that restrict the process, if wanted all at once, and then read files. */
import type { Outcomes } from "./observe.ts";

/** The gate that Workers wait at; 1 means open. */
export function gate(open = 0): Int32Array {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  shared[0] = open;
  return shared;
}

export interface Caller {
  /** The outcome of its `restrictPaths()`. */
  readonly answer: Promise<{ readonly outcome: string; readonly method: string }>;
  readonly read: (path: string) => Promise<Outcomes>;
}

/** Resolves when the Worker waits at the gate. */
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
