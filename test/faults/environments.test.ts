/** Unusual environments: namespaces, a chroot, a tracer, few resources. */
import { expect } from "bun:test";
import { inSubprocess, kernelAbi, tempDir, testUnless } from "../harness.ts";
import { testBroadcast } from "../threads/compiled.ts";
import { insidePath, places } from "../threads/confinement.ts";
import { covered, restrictWith, unlisted } from "../threads/proc.ts";

type Workers = typeof import("../threads/inside/workers.ts");

const root = tempDir();
const unshare = ["unshare", "--map-root-user"];

/** Commands that start a process in such an environment. */
const prefixes: Readonly<Record<string, readonly string[]>> = {
  "a user namespace": unshare,
  "a user namespace without a user of its own": ["unshare", "--user"],
  "a pid namespace with its /proc": [...unshare, "--pid", "--fork", "--mount-proc"],
  "a chroot": [
    ...[...unshare, "--mount", "sh", "-c"],
    // Debian installs it in a folder that is not on an ordinary user's PATH.
    ...['mount --rbind / "$0" && PATH="$PATH:/usr/sbin" && exec chroot "$0" "$@"', root],
  ],
  "a tracer's hands": ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=prctl"],
};

for (const [place, prefix] of Object.entries(prefixes)) {
  const works = Bun.which(prefix[0]!) !== null && Bun.spawnSync([...prefix, "true"]).success;
  testUnless(
    kernelAbi === 0 ? "needs Landlock" : works ? "" : `needs ${prefix[0]}`,
    `in ${place} every thread is restricted, and children are`,
    async () => {
      const seen = await inSubprocess(
        { ...places(), workers: insidePath("workers") },
        async ({ landlock, roDirs, rwFiles, threadField }, { granted, other, workers }) => {
          const { nodeWorker, webWorker } = (await import(workers)) as Workers;
          const readers = [await nodeWorker(), await webWorker()];
          const look = async (dir: string) => {
            const all = await Promise.all(readers.map((read) => read(`${dir}/file`)));
            return [...new Set(all.flatMap((outcomes) => Object.values(outcomes)))].join();
          };
          const system = [
            roDirs("/usr", "/bin", "/proc"),
            roDirs("/lib", "/lib64").ignoreIfMissing(),
            rwFiles("/dev/null"),
          ];
          using ruleset = landlock.V1.ruleset(...system, roDirs(granted));
          const cat = (dir: string) => ruleset.spawnSync(["cat", `${dir}/file`]).exitCode;
          const before = [await look(granted), await look(other)];
          const children = [cat(granted), cat(other)];
          const unchanged = [await look(granted), await look(other)];
          const { threads } = ruleset.restrictSelf({ deadlineMs: 10_000 });
          return {
            before,
            children,
            unchanged,
            after: [await look(granted), await look(other)],
            noNewPrivs: [...new Set(threadField("NoNewPrivs"))],
            several: threads.count > 2,
          };
        },
        { prefix, timeoutMs: 60_000 },
      );
      expect(seen).toEqual({
        before: ["ok", "ok"],
        children: [0, 1],
        unchanged: ["ok", "ok"],
        after: ["ok", "EACCES"],
        noNewPrivs: ["1"],
        several: true,
      });
    },
    90_000,
  );
}

testBroadcast(
  "forker.so",
  "what an addon forks during restrict() is as it was or restricted, and restricted afterwards",
  async (library) => {
    const seen = await inSubprocess(
      { ...places(), library },
      async ({ landlock, outcome, roDirs }, { granted, other, library }) => {
        const { dlopen, FFIType } = await import("bun:ffi");
        const { readFileSync } = await import("node:fs");
        const { i32, cstring } = FFIType;
        const { symbols: forker } = dlopen(library, {
          forker_start: { args: [cstring], returns: i32 },
          forker_restricted: { args: [], returns: i32 },
          forker_pass: { args: [i32], returns: i32 },
          forker_stop: { args: [], returns: i32 },
          forker_count: { args: [i32, i32], returns: i32 },
        });
        forker.forker_start(`${other}/file` as never);
        forker.forker_pass(5);
        const layers: string[] = [];
        // Only the last layer denies the file, so many broadcasts coincide with a fork.
        for (let layer = 1; layer <= 15; layer++) {
          layers.push(outcome(() => landlock.V1.restrictPaths(roDirs("/"))));
          forker.forker_pass(1);
        }
        const reachable = outcome(() => readFileSync(`${other}/file`));
        layers.push(outcome(() => landlock.V1.restrictPaths(roDirs(granted))));
        forker.forker_restricted();
        // The first ones may have been forked before.
        forker.forker_pass(20);
        forker.forker_stop();
        const [opened, denied, strange] = [1, 2, 3].map((end) => forker.forker_count(1, end));
        return {
          layers,
          reachable,
          granted: outcome(() => readFileSync(`${granted}/file`)),
          other: outcome(() => readFileSync(`${other}/file`)),
          after: { opened, strange, denied: denied! >= 19 },
          strangeBefore: forker.forker_count(0, 3),
        };
      },
    );
    expect(seen).toEqual({
      layers: Array(16).fill("ok"),
      reachable: "ok",
      granted: "ok",
      other: "EACCES",
      after: { opened: 0, strange: 0, denied: true },
      strangeBefore: 0,
    });
  },
);

const tracer = ["strace", "-f", "-qq", "-o", "/dev/null"];
const missing =
  Bun.which("strace") && Bun.spawnSync([...tracer, "true"]).success ? "" : "needs strace";

testUnless(
  kernelAbi === 0 ? "needs Landlock" : missing,
  "restrict() reaches all threads with a /proc that may not be listed, under a tracer",
  async () => {
    expect(await restrictWith([...unlisted, ...tracer], [])).toEqual({
      before: { task: "EACCES", listsMain: "EACCES", files: ["ok", "ok"] },
      ...covered,
    });
  },
  60_000,
);

const noSearch = [...tracer, "-e", "inject=tgkill:error=EPERM"];

testUnless(
  kernelAbi === 0 || kernelAbi >= 8
    ? `for Landlock ABI 1 to 7, this kernel has ${kernelAbi}`
    : missing,
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
