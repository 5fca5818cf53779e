/** Readers on every thread that never pause during a restriction. */

/** Outcomes of reads, by whether they began before or after the call returned. */
export interface Tally {
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
}

/** Cells of the memory that all threads share. */
export const RETURNED = 0;
export const RUNNING = 1;
export const cells = () => new Int32Array(new SharedArrayBuffer(8));

/**
 * Reads in a loop until some reads have followed the call's return. Must not use outside names,
 * because its source text is sent to Workers.
 */
export async function readOn(
  shared: Int32Array,
  more: number,
  read: () => unknown,
): Promise<Tally> {
  const tally = { before: {}, after: {} } as Record<"before" | "after", Record<string, number>>;
  let running = false;
  for (let left = more; left > 0;) {
    // Checked before the read begins, so that no early read counts as late.
    const when = Atomics.load(shared, 0) === 1 ? "after" : "before";
    let outcome = "ok";
    try {
      await read();
    } catch (error) {
      outcome = (error as { code?: string }).code ?? String(error);
    }
    tally[when][outcome] = (tally[when][outcome] ?? 0) + 1;
    if (!running) Atomics.add(shared, 1, 1);
    running = true;
    if (when === "after") left--;
    // Without a pause, this thread would never receive anything.
    else if (tally.before[outcome]! % 16 === 0) await new Promise((go) => setImmediate(go));
  }
  return tally;
}

export interface ReadingWorker {
  /** Resolves when its reads are done. */
  readonly tallies: Promise<readonly Tally[]>;
}

/** A Worker that reads the file in four ways at once. */
export async function readingWorker(
  shared: Int32Array,
  more: number,
  path: string,
): Promise<ReadingWorker> {
  const source = `
    import * as fs from "node:fs";
    const readOn = ${readOn.toString()};
    onmessage = async ({ data: [shared, more, path] }) => {
      postMessage(await Promise.all([
        readOn(shared, more, () => fs.readFileSync(path)),
        readOn(shared, more, () => fs.promises.readFile(path)),
        readOn(shared, more, () => Bun.file(path).text()),
        readOn(shared, more, () => fs.promises.open(path).then((file) => file.close())),
      ]));
    };
    postMessage([]);`;
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

/** Waits until this many loops have read once. */
export async function untilRunning(shared: Int32Array, loops: number): Promise<void> {
  while (Atomics.load(shared, RUNNING) < loops) await new Promise((go) => setImmediate(go));
}

/** The distinct outcomes of early or late reads, and the number of reads. */
export function summary(tallies: readonly Tally[], when: "before" | "after") {
  const outcomes = new Set<string>();
  let count = 0;
  for (const tally of tallies) {
    for (const [outcome, times] of Object.entries(tally[when])) {
      outcomes.add(outcome);
      count += times;
    }
  }
  return { outcomes: [...outcomes].sort(), count };
}
