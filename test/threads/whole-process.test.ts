/** No thread escapes, not during a read and not among fifty Workers. */
import { expect } from "bun:test";
import { inSubprocess, kernelAbi, testFromAbi } from "../harness.ts";
import { insidePath, places } from "./confinement.ts";

const load = insidePath("load");
const workers = insidePath("workers");
type Load = typeof import("./inside/load.ts");
type Workers = typeof import("./inside/workers.ts");

const method = kernelAbi >= 8 ? "tsync" : "broadcast";

/** 64 reads in flight on the pool, and Workers that read on their own threads and on the pool. */
async function underLoad(workerCount: number, more: number) {
  return inSubprocess(
    { ...places(), load, workerCount, more },
    async ({ landlock, roDirs }, { other, granted, load, workerCount, more }) => {
      const { cells, readOn, readingWorker, untilRunning, summary, RETURNED } = (await import(
        load
      )) as Load;
      const { promises } = await import("node:fs");
      const shared = cells();
      const path = `${other}/file`;
      const started = await Promise.all(
        Array.from({ length: workerCount }, () => readingWorker(shared, more, path)),
      );
      const here = Array.from({ length: 64 }, (_, i) =>
        readOn(shared, more, () => (i % 2 ? promises.readFile(path) : Bun.file(path).text())),
      );
      await untilRunning(shared, 64 + 4 * workerCount);
      const { enforcement, threads } = landlock.V1.restrictPaths(roDirs(granted));
      Atomics.store(shared, RETURNED, 1);
      const tallies = [
        ...(await Promise.all(here)),
        ...(await Promise.all(started.map(({ tallies }) => tallies))).flat(),
      ];
      const before = summary(tallies, "before");
      return {
        enforcement,
        method: threads.method,
        reachedWorkers: threads.count > workerCount,
        workedBefore: before.outcomes.includes("ok"),
        strange: before.outcomes.filter((outcome) => outcome !== "ok" && outcome !== "EACCES"),
        after: summary(tallies, "after"),
      };
    },
    { timeoutMs: 60_000 },
  );
}

for (const [workerCount, more] of [
  [0, 100],
  [12, 50],
  [50, 10],
] as const) {
  testFromAbi(
    1,
    `restrict() with 64 reads in flight and ${workerCount} reading Workers: none succeeds that began after it returned`,
    async () => {
      expect(await underLoad(workerCount, more)).toEqual({
        enforcement: "full",
        method,
        reachedWorkers: true,
        workedBefore: true,
        strange: [],
        after: { outcomes: ["EACCES"], count: (64 + 4 * workerCount) * more },
      });
    },
    60_000,
  );
}

for (const workerCount of [0, 8, 50]) {
  testFromAbi(
    1,
    `restrict() with ${workerCount} Workers sets NoNewPrivs on every thread of /proc/self/task`,
    async () => {
      const seen = await inSubprocess(
        { workerCount, workers },
        async ({ landlock, roDirs, threadField }, { workerCount, workers }) => {
          const { nodeWorker, webWorker } = (await import(workers)) as Workers;
          for (let i = 0; i < workerCount; i++) await (i % 2 ? nodeWorker() : webWorker());
          const distinct = () => [...new Set(threadField("NoNewPrivs"))];
          const before = distinct();
          landlock.V11.bestEffort().restrict(roDirs("/proc"));
          return { before, after: distinct() };
        },
        { timeoutMs: 60_000 },
      );
      expect(seen).toEqual({ before: ["0"], after: ["1"] });
    },
    60_000,
  );

  testFromAbi(
    1,
    `restrict() with ${workerCount} Workers reports as many threads as the kernel counts`,
    async () => {
      const seen = await inSubprocess(
        { workerCount, workers },
        async ({ landlock, roDirs }, { workerCount, workers }) => {
          const { statSync } = await import("node:fs");
          const { nodeWorker, webWorker } = (await import(workers)) as Workers;
          for (let i = 0; i < workerCount; i++) await (i % 2 ? nodeWorker() : webWorker());
          // The kernel adds the number of threads to the directory's own two links.
          const count = () => statSync("/proc/self/task").nlink - 2;
          for (let layer = 1; layer <= 16; layer++) {
            const before = count();
            const { threads } = landlock.V1.restrictPaths(roDirs("/"));
            const after = count();
            // Bun starts and ends helper threads at any time, so only a quiet moment can tell.
            if (before !== after) continue;
            return { difference: threads.count - after, enough: after > workerCount };
          }
          return "never quiet";
        },
        { timeoutMs: 60_000 },
      );
      expect(seen).toEqual({ difference: 0, enough: true });
    },
    60_000,
  );

  testFromAbi(
    1,
    `restrict() with ${workerCount} Workers denies each of them, and every pool`,
    async () => {
      const seen = await inSubprocess(
        { ...places(), workerCount, workers },
        async ({ landlock, roDirs }, { granted, other, workerCount, workers }) => {
          const { nodeWorker, webWorker } = (await import(workers)) as Workers;
          const readers: import("./inside/workers.ts").Reader[] = [];
          for (let i = 0; i <= workerCount; i++)
            readers.push(await (i % 2 ? nodeWorker() : webWorker()));
          const look = async (dir: string) => {
            const all = await Promise.all(readers.map((read) => read(`${dir}/file`)));
            return [...new Set(all.flatMap((outcomes) => Object.values(outcomes)))];
          };
          const before = [await look(granted), await look(other)];
          landlock.V1.restrictPaths(roDirs(granted));
          return { before, after: [await look(granted), await look(other)] };
        },
        { timeoutMs: 60_000 },
      );
      expect(seen).toEqual({ before: [["ok"], ["ok"]], after: [["ok"], ["EACCES"]] });
    },
    60_000,
  );
}
