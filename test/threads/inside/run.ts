/** Runs a group of operations in the given thread. */
import { outcomesOf, type Outcomes, type Probes } from "./observe.ts";

export type Run<Place> = (place: Place) => Promise<Outcomes>;

/**
 * Resolves when the operations are loaded.
 *
 * @param module The path of a module of this folder
 * @param group The name of its export
 */
export async function runner<Place = string>(
  inWorker: boolean,
  module: string,
  group: string,
): Promise<Run<Place>> {
  if (inWorker) return workerRunner(module, group);
  const probes = ((await import(module)) as Record<string, Probes<Place>>)[group]!;
  return (place) => outcomesOf(probes, place);
}

async function workerRunner<Place>(module: string, group: string): Promise<Run<Place>> {
  const worker = new Worker(new URL("run-worker.ts", import.meta.url));
  const ask = (message: unknown) =>
    new Promise<Outcomes>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(message);
    });
  await ask({ module, group });
  return (place) => ask({ place });
}
