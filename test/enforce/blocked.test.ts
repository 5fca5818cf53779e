/** Kernels and containers that block Landlock, simulated by a seccomp filter. */
import { expect } from "bun:test";
import { accessFs } from "../../src/index.ts";
import { inSubprocess, kernelAbi, tempDir, testFromAbi } from "../harness.ts";

const remedies = {
  blocked:
    "something forbids the Landlock system calls: allow landlock_create_ruleset, landlock_add_rule and landlock_restrict_self in the container's seccomp profile",
  unsupported:
    "this kernel has no Landlock: use Linux 5.13 or newer, built with CONFIG_SECURITY_LANDLOCK=y",
  disabled:
    "Landlock is built into this kernel but was left out at boot: add landlock to the lsm= boot parameter or to CONFIG_LSM",
};

const states = [
  { errno: 1, name: "EPERM", state: "blocked", code: "ERR_LANDLOCK_BLOCKED" },
  { errno: 13, name: "EACCES", state: "blocked", code: "ERR_LANDLOCK_BLOCKED" },
  { errno: 38, name: "ENOSYS", state: "unsupported", code: "ERR_LANDLOCK_UNSUPPORTED" },
  { errno: 95, name: "EOPNOTSUPP", state: "disabled", code: "ERR_LANDLOCK_DISABLED" },
] as const;

for (const { errno, name, state, code } of states) {
  testFromAbi(
    1,
    `where Landlock fails with ${name}, probe() says "${state}" and strict is an error`,
    async () => {
      const seen = await inSubprocess({ errno, dir: tempDir() }, async (inside, { errno, dir }) => {
        const { failSyscalls, landlock, outcome, probe, rwDirs, threadField, thrown } = inside;
        const { readdirSync } = await import("node:fs");
        const before = probe();
        failSyscalls(444, 446, errno);
        const noNewPrivs = threadField("NoNewPrivs").toSorted();
        const { message: _, ...missing } =
          thrown(() => landlock.V1.bestEffort({ atLeast: 1 }).restrictPaths(rwDirs(dir))) ?? {};
        return {
          before: before.state,
          probe: probe(),
          strict: thrown(() => landlock.V1.restrictPaths(rwDirs(dir))),
          ruleset: thrown(() => landlock.V1.ruleset())?.["code"],
          missing,
          readable: outcome(() => readdirSync("/")),
          unchanged: Bun.deepEquals(threadField("NoNewPrivs").toSorted(), noNewPrivs),
        };
      });
      expect(seen as object).toEqual({
        before: "enabled",
        probe: { abi: 0, errata: 0, state, missing: [], remedy: remedies[state] },
        strict: {
          name: "LandlockError",
          message: `Cannot restrict anything: ${remedies[state]}`,
          code,
          processChanged: false,
        },
        ruleset: code,
        missing: { name: "LandlockError", code, processChanged: false },
        readable: "ok",
        unchanged: true,
      });
    },
  );
}

testFromAbi(
  1,
  "where Landlock is blocked, best effort starts no command until it is told to",
  async () => {
    const dir = tempDir();
    const seen = await inSubprocess({ dir }, async (inside, { dir }) => {
      const { failSyscalls, landlock, planFor, probe, thrown } = inside;
      const { existsSync } = await import("node:fs");
      const config = landlock.V1.bestEffort();
      using before = config.ruleset(inside.roDirs("/"), inside.rwFiles("/dev/null"));
      const works = before.spawnSync(["true"]).exitCode;
      failSyscalls(444, 446, 1);
      using ruleset = config.ruleset();
      using told = landlock.V1.bestEffort({ allowNone: true }).ruleset();
      const touch = (name: string) => ["touch", `${dir}/${name}`];
      return {
        works,
        sync: thrown(() => ruleset.spawnSync(touch("sync"))),
        async: thrown(() => ruleset.spawn(touch("async")))?.["code"],
        strict: thrown(() => landlock.V1.ruleset())?.["code"],
        started: [existsSync(`${dir}/sync`), existsSync(`${dir}/async`)],
        told: [told.spawnSync(touch("told")).exitCode, await told.spawn(touch("again")).exited],
        toldStarted: [existsSync(`${dir}/told`), existsSync(`${dir}/again`)],
        planned: planFor(config, [], probe()).enforcement,
      };
    });
    expect(seen as object).toEqual({
      works: 0,
      sync: {
        name: "LandlockError",
        code: "ERR_LANDLOCK_BLOCKED",
        processChanged: false,
        message: `Cannot start "touch" in a sandbox: ${remedies.blocked}; to do without a sandbox, use .bestEffort({ allowNone: true })`,
      },
      async: "ERR_LANDLOCK_BLOCKED",
      strict: "ERR_LANDLOCK_BLOCKED",
      started: [false, false],
      told: [0, 0],
      toldStarted: [true, true],
      planned: "none",
    });
  },
);

testFromAbi(1, "a Config of which this kernel restricts nothing starts no command", async () => {
  const seen = await inSubprocess({}, ({ landlock, outcome, thrown }) => {
    const net = landlock.config({ net: ["bind_udp"] }).bestEffort();
    using ruleset = net.ruleset();
    const { enforcement } = ruleset.plan;
    return {
      enforcement,
      outcome: outcome(() => ruleset.spawnSync(["true"])),
      error: thrown(() => ruleset.spawnSync(["true"]))?.["message"],
    };
  });
  expect(seen as object).toEqual(
    kernelAbi < 10
      ? {
          enforcement: "none",
          outcome: "ERR_LANDLOCK_ABI_TOO_OLD",
          error:
            'Cannot start "true" in a sandbox: this kernel can restrict nothing of what is asked; to do without a sandbox, use .bestEffort({ allowNone: true })',
        }
      : { enforcement: "full", outcome: "ok" },
  );
});

testFromAbi(1, "where Landlock is blocked, best effort reports none and warns once", async () => {
  const dir = tempDir();
  const seen = await inSubprocess({ dir }, async (inside, { dir }) => {
    const { failSyscalls, landlock, outcome, roDirs } = inside;
    const { readdirSync } = await import("node:fs");
    const warnings: object[] = [];
    process.on("warning", (warning) => {
      const { name, message, code } = warning as NodeJS.ErrnoException;
      warnings.push({ name, message, code });
    });
    failSyscalls(444, 446, 1);
    const config = landlock.V1.bestEffort({ allowNone: true });
    const report = config.restrictPaths(roDirs(dir).quiet());
    const again = config.restrictPaths(roDirs(`${dir}/missing`)).enforcement;
    using ruleset = config.ruleset();
    const child = ruleset.spawnSync(["cat", "/proc/self/status"]).stdout.toString();
    const asynchronous = await ruleset.spawn(["cat", "/proc/self/status"]).exited;
    // Warnings are emitted on the next tick.
    await new Promise((done) => setImmediate(done));
    const readable = outcome(() => readdirSync("/"));
    const started = child.startsWith("Name:\tcat") && asynchronous === 0;
    return { warnings, report, again, started, readable };
  });
  const empty = { fs: [], net: [], scoped: [] };
  expect(seen as object).toEqual({
    warnings: [
      {
        name: "LandlockWarning",
        message:
          "Landlock restricts nothing here: see probe().remedy, or use a strict Config to make this an error",
        code: "LANDLOCK_UNENFORCED",
      },
    ],
    report: {
      enforcement: "none",
      abi: { kernel: 0, requested: 1, used: 0 },
      handled: empty,
      unenforced: { fs: accessFs.slice(0, 13), net: [], scoped: [], logging: ["quiet"] },
      ungranted: [],
      skippedPaths: [],
      createdPaths: [],
      rules: [],
      threads: { count: 0, method: "none" },
      rewritable: [],
      notCovered: ["everything: Landlock cannot be used here"],
    },
    again: "none",
    started: true,
    readable: "ok",
  });
});

/** A filter that misses one of the three calls: the error names the call, and nothing changed. */
for (const [call, number] of [
  ["landlock_add_rule", 445],
  ["landlock_restrict_self", 446],
] as const) {
  testFromAbi(
    1,
    `where only ${call} is blocked, that is an error with nothing changed`,
    async () => {
      const seen = await inSubprocess(
        { number, dir: tempDir() },
        async (inside, { number, dir }) => {
          const { failSyscalls, landlock, outcome, roDirs, threadField, thrown } = inside;
          const { readdirSync } = await import("node:fs");
          const attempt = () => landlock.V1.bestEffort().restrictPaths(roDirs(dir));
          failSyscalls(number, number, 1);
          const noNewPrivs = threadField("NoNewPrivs").toSorted();
          const error = thrown(attempt);
          const open = readdirSync("/proc/self/fd");
          const again = thrown(attempt);
          return {
            error,
            same: Bun.deepEquals(error, again),
            leaked: readdirSync("/proc/self/fd").length - open.length,
            readable: outcome(() => readdirSync("/")),
            unchanged: Bun.deepEquals(threadField("NoNewPrivs").toSorted(), noNewPrivs),
          };
        },
      );
      expect(seen as object).toMatchObject({
        error: {
          name: "LandlockError",
          code: "ERR_LANDLOCK_BLOCKED",
          syscall: call,
          errno: 1,
          errnoName: "EPERM",
          processChanged: false,
        },
        same: true,
        leaked: 0,
        readable: "ok",
        unchanged: true,
      });
    },
  );
}

testFromAbi(1, "where landlock_restrict_self is blocked, spawn() starts nothing", async () => {
  const dir = tempDir();
  const seen = await inSubprocess({ dir }, async (inside, { dir }) => {
    const { failSyscalls, landlock, roDirs, rwFiles, thrown } = inside;
    const { existsSync } = await import("node:fs");
    using ruleset = landlock.V1.ruleset(roDirs("/"), rwFiles("/dev/null"));
    const before = ruleset.spawnSync(["true"]).exitCode;
    failSyscalls(446, 446, 1);
    const error = thrown(() => ruleset.spawnSync(["touch", `${dir}/started`]));
    return { before, error, started: existsSync(`${dir}/started`) };
  });
  expect(seen as object).toMatchObject({
    before: 0,
    error: { code: "ERR_LANDLOCK_BLOCKED", syscall: "landlock_restrict_self", errnoName: "EPERM" },
    started: false,
  });
});

testFromAbi(1, "probe() leaves no file open", async () => {
  const count = await inSubprocess({}, async ({ probe }) => {
    const { readdirSync } = await import("node:fs");
    probe();
    const before = readdirSync("/proc/self/fd").length;
    for (let i = 0; i < 10; i++) probe();
    return readdirSync("/proc/self/fd").length - before;
  });
  expect(count as number).toBe(0);
});

testFromAbi(1, "the seccomp filter of these tests is what fails, nothing else", async () => {
  const seen = await inSubprocess({}, ({ failSyscalls, probe }) => {
    failSyscalls(447, 450, 1);
    return probe();
  });
  expect(seen as object).toMatchObject({ abi: kernelAbi, state: "enabled", remedy: "" });
});
