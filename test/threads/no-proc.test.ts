/** Threads are found where /proc is denied, gone or somebody else's. */
import { expect } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { inSubprocess, kernelAbi, testFromAbi, testUnless } from "../harness.ts";
import { insidePath, places } from "./confinement.ts";

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
      // The second layer finds threads that the first has never seen.
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

/** Namespaces of one's own, for which no privilege is needed where the system allows them. */
const mounts = ["unshare", "--map-root-user", "--mount"];
const pids = ["unshare", "--map-root-user", "--pid", "--fork"];
const hasNamespaces = [mounts, pids].every((prefix) => Bun.spawnSync([...prefix, "true"]).success);

function testInNamespace(name: string, body: () => Promise<void>) {
  const missing = kernelAbi === 0 ? "needs Landlock" : hasNamespaces ? "" : "needs unshare";
  testUnless(missing, name, body, 60_000);
}

/** Restricts with /proc as the prefix and the command leave it. */
async function restrictWith(prefix: readonly string[], command: readonly string[]) {
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

const covered = { after: ["ok", "EACCES"], reachedWorkers: true };

/** A sandbox in which files of /proc may be read, and its directories not be listed. */
const unlisted = [
  ...[process.execPath, join(import.meta.dir, "../../src/cli.ts"), "-ro"],
  ...readdirSync("/").flatMap((name) => (name === "proc" ? [] : `/${name}`)),
  ...["-rw", "/tmp", "/dev", "-preset", "bun=children", "--"],
];
const tracer = ["strace", "-f", "-qq", "-o", "/dev/null"];

for (const [where, prefix] of [
  ["a /proc that may not be listed", unlisted],
  // Each system call takes a hundred times as long there.
  ["such a /proc, under a tracer", [...unlisted, ...tracer]],
] as const) {
  const traces = prefix === unlisted || Bun.spawnSync([...tracer, "true"]).success;
  testUnless(
    kernelAbi === 0 ? "needs Landlock" : traces ? "" : "needs strace",
    `restrict() reaches all threads with ${where}`,
    async () => {
      expect(await restrictWith(prefix, [])).toEqual({
        before: { task: "EACCES", listsMain: "EACCES", files: ["ok", "ok"] },
        ...covered,
      });
    },
    60_000,
  );
}

const noSearch = [...tracer, "-e", "inject=tgkill:error=EPERM"];

testUnless(
  kernelAbi === 0 || kernelAbi >= 8
    ? `for Landlock ABI 1 to 7, this kernel has ${kernelAbi}`
    : Bun.spawnSync([...noSearch, "true"]).success
      ? ""
      : "needs strace",
  "if threads can neither be listed nor asked for, nothing is restricted, and why",
  async () => {
    const seen = await inSubprocess(
      {},
      async ({ landlock, outcome, thrown }) => {
        const { readdirSync } = await import("node:fs");
        const error = thrown(() => landlock.V1.restrictPaths());
        return { error, then: outcome(() => readdirSync("/usr")) };
      },
      { prefix: [...unlisted, ...noSearch] },
    );
    expect(seen as object).toEqual({
      error: {
        name: "LandlockError",
        message:
          "Not all threads could be found: EPERM, so nothing was restricted: let this process list /proc/self/task, and call again",
        code: "ERR_LANDLOCK_THREADS_UNREACHABLE",
        syscall: "tgkill",
        errno: 1,
        errnoName: "EPERM",
        processChanged: false,
      },
      then: "ok",
    });
  },
);

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
