/**
 * The native library in memory: one sealed file for all threads, wherever memory may be executed.
 */
import { expect } from "bun:test";
import { join } from "node:path";
import { inSubprocess, kernelAbi, run, tempDir, testOnAbis, testUnless } from "./harness.ts";

const index = join(import.meta.dir, "../src/index.ts");

testOnAbis(
  1,
  7,
  "Workers that restrict the process at once share one copy of the library, sealed",
  async () => {
    const script = `
      import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
      import { isMainThread, parentPort, Worker } from "node:worker_threads";
      import { landlock, roDirs } from ${JSON.stringify(index)};
      if (!isMainThread) {
        parentPort.on("message", () => {
          const { enforcement } = landlock.V1.restrictPaths(roDirs("/"));
          parentPort.postMessage(enforcement);
        });
        parentPort.postMessage("up");
      } else {
        const next = (worker) => new Promise((done) => worker.once("message", done));
        const workers = Array.from({ length: 4 }, () => new Worker(import.meta.path));
        await Promise.all(workers.map(next));
        for (const worker of workers) worker.postMessage("go");
        const results = await Promise.all(workers.map(next));
        const link = (fd) => { try { return readlinkSync("/proc/self/fd/" + fd); } catch { return ""; } };
        const open = readdirSync("/proc/self/fd").filter((fd) => link(fd).includes("liblandlock"));
        const maps = readFileSync("/proc/self/maps", "utf8").split("\\n");
        const inodes = new Set(maps.filter((line) => line.includes("liblandlock")).map((line) => line.split(/ +/)[4]));
        let changed = "changed";
        try { writeFileSync("/proc/self/fd/" + open[0], "x"); } catch (error) { changed = error.code; }
        console.log(JSON.stringify({ results, open: open.length, copies: inodes.size, changed }));
        process.exit();
      }`;
    const file = join(tempDir(), "workers.ts");
    await Bun.write(file, script);
    const { stdout, stderr } = run([process.execPath, file], "/");
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      results: ["full", "full", "full", "full"],
      open: 1,
      copies: 1,
      changed: expect.stringMatching(/^(EACCES|EPERM)$/),
    });
  },
);

const noExec = [
  ...["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc", "sh", "-c"],
  'echo 2 >/proc/sys/vm/memfd_noexec && exec "$0" "$@"',
];
const works = Bun.which("unshare") !== null && Bun.spawnSync([...noExec, "true"]).success;

testUnless(
  kernelAbi === 0 ? "needs Landlock" : works ? "" : "needs unshare and Linux 6.3",
  "where files in memory may not be executed a process restricts itself, and spawn() says why not",
  async () => {
    const seen = await inSubprocess(
      {},
      async ({ landlock, outcome, roDirs, thrown }) => {
        const { readdirSync } = await import("node:fs");
        using ruleset = landlock.V1.ruleset(roDirs("/usr"));
        const error = thrown(() => ruleset.spawnSync(["true"]));
        const before = outcome(() => readdirSync("/"));
        const { enforcement } = ruleset.restrictSelf({ deadlineMs: 10_000 });
        return { error, before, enforcement, after: outcome(() => readdirSync("/")) };
      },
      { prefix: noExec },
    );
    expect(seen as object).toEqual({
      error: expect.objectContaining({
        code: "ERR_LANDLOCK_NATIVE",
        message: expect.stringContaining("vm.memfd_noexec"),
      }),
      before: "ok",
      enforcement: "full",
      after: "EACCES",
    });
  },
);
