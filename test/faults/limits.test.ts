/** Processes that lack something: signals, address space, memory, /proc, a system call. */
import { expect } from "bun:test";
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { inSubprocess, kernelAbi, testOnAbis, testUnless } from "../harness.ts";

testOnAbis(1, 7, "without room for queued signals nothing is restricted, and why", async () => {
  const seen = await inSubprocess({}, async ({ call, landlock, outcome, threadField, thrown }) => {
    const { readdirSync } = await import("node:fs");
    const RLIMIT_SIGPENDING = 11;
    using ruleset = landlock.V1.ruleset();
    call("setrlimit", RLIMIT_SIGPENDING, new BigUint64Array([0n, 1000n]));
    const error = thrown(() => ruleset.restrictSelf({ deadlineMs: 100 }));
    const unchanged = [outcome(() => readdirSync("/")), ...new Set(threadField("NoNewPrivs"))];
    call("setrlimit", RLIMIT_SIGPENDING, new BigUint64Array([1000n, 1000n]));
    const again = outcome(() => ruleset.restrictSelf({ deadlineMs: 10_000 }));
    return { error, unchanged, again, then: outcome(() => readdirSync("/")) };
  });
  expect(seen as object).toEqual({
    error: {
      name: "LandlockError",
      message: expect.stringMatching(
        /could not be signalled: EAGAIN .* ulimit -i, and call again$/,
      ),
      code: "ERR_LANDLOCK_THREADS_UNREACHABLE",
      syscall: "rt_tgsigqueueinfo",
      errno: 11,
      errnoName: "EAGAIN",
      processChanged: false,
    },
    unchanged: ["ok", "0"],
    again: "ok",
    then: "EACCES",
  });
});

testOnAbis(1, 7, "without address space left nothing is restricted, and why", async () => {
  const loaded = join(import.meta.dir, "../../src/kernel/native.ts");
  const seen = await inSubprocess(
    { loaded },
    async ({ call, landlock, outcome, threadField, thrown }, { loaded }) => {
      const { readdirSync, readFileSync } = await import("node:fs");
      const RLIMIT_AS = 9;
      const infinity = 2n ** 64n - 1n;
      using ruleset = landlock.V1.ruleset();
      // The dynamic linker needs address space too.
      ((await import(loaded)) as { loadNative(): void }).loadNative();
      const kiB = BigInt(readFileSync("/proc/self/status", "utf8").match(/VmSize:\s*(\d+)/)![1]!);
      call("setrlimit", RLIMIT_AS, new BigUint64Array([kiB * 1024n, infinity]));
      const error = thrown(() => ruleset.restrictSelf());
      call("setrlimit", RLIMIT_AS, new BigUint64Array([infinity, infinity]));
      const unchanged = [outcome(() => readdirSync("/")), ...new Set(threadField("NoNewPrivs"))];
      const again = outcome(() => ruleset.restrictSelf({ deadlineMs: 10_000 }));
      return { error, unchanged, again, then: outcome(() => readdirSync("/")) };
    },
  );
  expect(seen as object).toEqual({
    error: expect.objectContaining({
      message: expect.stringMatching(/ENOMEM; free some memory$/),
      code: "ERR_LANDLOCK_SYSCALL",
      errnoName: "ENOMEM",
      processChanged: false,
    }),
    unchanged: ["ok", "0"],
    again: "ok",
    then: "EACCES",
  });
});

/** A new memory cgroup of either version; undefined if none can be created. */
function memoryGroup() {
  const name = `landlock-test-${process.pid}`;
  const [one, two] = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"];
  const isFirst = existsSync(`${one}/memory.limit_in_bytes`);
  const folder = `${isFirst ? one : two}/${name}`;
  const file = `${folder}/${isFirst ? "memory.limit_in_bytes" : "memory.max"}`;
  const used = `${folder}/${isFirst ? "memory.usage_in_bytes" : "memory.current"}`;
  try {
    mkdirSync(folder);
    if (existsSync(file)) return { folder, file, used };
    rmdirSync(folder);
  } catch {}
  return undefined;
}

const group = memoryGroup();
if (group) rmdirSync(group.folder);

/** Restricts a process of many threads by 65,536 rules, with this much memory on top of its own. */
async function withSpare(spare: number): Promise<object> {
  const { folder, file, used } = memoryGroup()!;
  try {
    return await inSubprocess(
      { folder, file, used, spare },
      async (
        { bindTcp, landlock, outcome, thrown, threadField },
        { folder, file, used, spare },
      ) => {
        const { readFileSync, writeFileSync } = await import("node:fs");
        const source = URL.createObjectURL(
          new Blob(["postMessage('up')"], { type: "text/javascript" }),
        );
        const workers = Array.from({ length: 12 }, () => new Worker(source));
        await Promise.all(workers.map((one) => new Promise((up) => (one.onmessage = up))));
        writeFileSync(`${folder}/cgroup.procs`, `${process.pid}`);
        const ports = Array.from({ length: 65_535 }, (_, i) => i + 1);
        using ruleset = landlock.config({ net: ["bind_tcp"] }).ruleset(bindTcp(...ports));
        writeFileSync(file, `${Number(readFileSync(used, "utf8")) + spare}`);
        const error = thrown(() => ruleset.restrictSelf({ deadlineMs: 10_000 }));
        const listen = { hostname: "127.0.0.1", port: 0, socket: { data() {} } };
        return {
          changed: error?.["processChanged"] ?? "restricted",
          noNewPrivs: [...new Set(threadField("NoNewPrivs"))],
          bindAny: outcome(() => Bun.listen(listen)),
        };
      },
    );
  } catch (error) {
    return { ended: String(error).split("\n")[0] };
  } finally {
    rmdirSync(folder);
  }
}

testUnless(
  kernelAbi < 4
    ? `needs Landlock ABI 4, this kernel has ${kernelAbi}`
    : kernelAbi >= 8
      ? "from Landlock ABI 8 on all threads share one ruleset"
      : group
        ? ""
        : "needs a memory cgroup that can be written",
  "a memory cgroup that is too small ends the process, and never leaves it half restricted",
  async () => {
    const killed = { ended: expect.stringMatching(/the process ended with SIGKILL/) };
    const unchanged = { changed: false, noNewPrivs: ["0"], bindAny: "ok" };
    const diverged = expect.objectContaining({ changed: true });
    expect([killed, unchanged, diverged]).toContainEqual(await withSpare(5_000_000));
    expect(await withSpare(400_000_000)).toEqual({
      changed: "restricted",
      noNewPrivs: ["1"],
      bindAny: "EACCES",
    });
  },
  60_000,
);
