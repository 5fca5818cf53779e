/** The library finds threads if /proc is denied, missing or another namespace's. */
import { expect } from "bun:test";
import { inSubprocess, kernelAbi, testFromAbi, testUnless } from "../harness.ts";
import { insidePath, places } from "./confinement.ts";
import { covered, restrictWith, unlisted } from "./proc.ts";

const workers = insidePath("workers");
type Workers = typeof import("./inside/workers.ts");

const workerCount = 8;

testFromAbi(1, "restrict() reaches all threads again after a layer that denies /proc", async () => {
  const seen = await inSubprocess(
    { ...places(), workers, workerCount },
    async ({ landlock, roDirs, outcome }, { granted, other, workers, workerCount }) => {
      const { readdirSync } = await import("node:fs");
      const { nodeWorker, webWorker } = (await import(workers)) as Workers;
      const readers: import("./inside/workers.ts").Reader[] = [];
      const start = async () => {
        for (let i = 0; i < workerCount; i++)
          readers.push(await (i % 2 ? nodeWorker() : webWorker()));
      };
      const look = async (dir: string) => {
        const all = await Promise.all(readers.map((read) => read(`${dir}/file`)));
        return [...new Set(all.flatMap((outcomes) => Object.values(outcomes)))].join();
      };
      await start();
      const first = landlock.V1.restrictPaths(roDirs(granted, other));
      const proc = outcome(() => readdirSync("/proc/self/task"));
      const between = [await look(granted), await look(other)];
      // The second layer must find threads that the first has never seen.
      await start();
      const second = landlock.V1.restrictPaths(roDirs(granted));
      return {
        proc,
        between,
        after: [await look(granted), await look(other)],
        reached: [
          first.threads.count > workerCount,
          second.threads.count >= first.threads.count + workerCount,
        ],
      };
    },
  );
  expect(seen).toEqual({
    proc: "EACCES",
    between: ["ok", "ok"],
    after: ["ok", "EACCES"],
    reached: [true, true],
  });
});

/** Namespaces that need no privilege, if the system allows them. */
const mounts = ["unshare", "--map-root-user", "--mount"];
const pids = ["unshare", "--map-root-user", "--pid", "--fork"];
const hasNamespaces = [mounts, pids].every((prefix) => Bun.spawnSync([...prefix, "true"]).success);

function testInNamespace(name: string, body: () => Promise<void>) {
  const missing = kernelAbi === 0 ? "needs Landlock" : hasNamespaces ? "" : "needs unshare";
  testUnless(missing, name, body, 60_000);
}

testFromAbi(1, "restrict() reaches all threads with a /proc that may not be listed", async () => {
  expect(await restrictWith(unlisted, [])).toEqual({
    before: { task: "EACCES", listsMain: "EACCES", files: ["ok", "ok"] },
    ...covered,
  });
});

testInNamespace("restrict() reaches all threads without any /proc", async () => {
  const hide = ["mount", "-t", "tmpfs", "none", "/proc"];
  expect(await restrictWith(mounts, hide)).toEqual({
    before: { task: "ENOENT", listsMain: "ENOENT", files: ["ok", "ok"] },
    ...covered,
  });
});

testInNamespace(
  "restrict() reaches all threads with a /proc that numbers them otherwise",
  async () => {
    expect(await restrictWith(pids, [])).toEqual({
      before: { task: "ok", listsMain: "ENOENT", files: ["ok", "ok"] },
      ...covered,
    });
  },
);
