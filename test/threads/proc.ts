/** Restricts a process whose /proc is unusual. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { inSubprocess } from "../harness.ts";
import { insidePath, places } from "./confinement.ts";

const workers = insidePath("workers");
type Workers = typeof import("./inside/workers.ts");

const workerCount = 8;

/** A sandbox that may read files of /proc but not list its directories. */
export const unlisted = [
  ...[process.execPath, join(import.meta.dir, "../../src/cli.ts"), "-ro"],
  ...readdirSync("/").flatMap((name) => (name === "proc" ? [] : `/${name}`)),
  ...["-rw", "/tmp", "/dev", "-preset", "bun=children", "--"],
];

/** Restricts with /proc as the prefix and the command leave it. */
export async function restrictWith(prefix: readonly string[], command: readonly string[]) {
  return inSubprocess(
    { ...places(), workers, workerCount, command },
    async ({ landlock, roDirs, outcome }, { granted, other, workers, workerCount, command }) => {
      const { readdirSync } = await import("node:fs");
      const { nodeWorker, webWorker } = (await import(workers)) as Workers;
      const readers: import("./inside/workers.ts").Reader[] = [];
      for (let i = 0; i < workerCount; i++)
        readers.push(await (i % 2 ? nodeWorker() : webWorker()));
      const look = async (dir: string) => {
        const all = await Promise.all(readers.map((read) => read(`${dir}/file`)));
        return [...new Set(all.flatMap((outcomes) => Object.values(outcomes)))].join();
      };
      if (command.length > 0) Bun.spawnSync([...command]);
      const before = {
        task: outcome(() => readdirSync("/proc/self/task")),
        listsMain: outcome(() => readdirSync(`/proc/self/task/${process.pid}`)),
        files: [await look(granted), await look(other)],
      };
      const { threads } = landlock.V1.restrictPaths(roDirs(granted));
      return {
        before,
        after: [await look(granted), await look(other)],
        reachedWorkers: threads.count > workerCount,
      };
    },
    { prefix, timeoutMs: 60_000 },
  );
}

/** What `restrictWith()` finds once every thread is restricted. */
export const covered = { after: ["ok", "EACCES"], reachedWorkers: true };
