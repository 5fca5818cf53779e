/** Limits and misuse: no free descriptors, a closed ruleset, a user without privileges. */
import { expect } from "bun:test";
import { chownSync } from "node:fs";
import { inSubprocess, kernelAbi, tempDir, testFromAbi, testUnless } from "../harness.ts";
import { plainUser, userMissing } from "../other-user.ts";

testFromAbi(
  1,
  "without open files left restrictPaths() is an error with nothing changed",
  async () => {
    const dir = tempDir();
    const run = (spare: number) =>
      inSubprocess({ dir, spare }, async (inside, { dir, spare }) => {
        const { call, landlock, outcome, roDirs, threadField, thrown } = inside;
        const { closeSync, openSync, readdirSync } = await import("node:fs");
        const config = landlock.V1;
        const noNewPrivs = threadField("NoNewPrivs").toSorted();
        const RLIMIT_NOFILE = 7;
        call("setrlimit", RLIMIT_NOFILE, new BigUint64Array([64n, 64n]));
        const before = readdirSync("/proc/self/fd").length;
        const held: number[] = [];
        while (outcome(() => held.push(openSync("/dev/null", "r"))) === "ok");
        for (const fd of held.splice(0, spare)) closeSync(fd);
        const { message, ...error } =
          thrown(() => config.restrictPaths(roDirs(dir, "/proc"))) ?? {};
        for (const fd of held) closeSync(fd);
        return {
          failed: message !== undefined,
          error,
          advice: String(message ?? "").includes("ulimit -n"),
          readable: outcome(() => readdirSync("/")),
          leaked: readdirSync("/proc/self/fd").length - before,
          unchanged: Bun.deepEquals(threadField("NoNewPrivs").toSorted(), noNewPrivs),
        };
      });
    // Allows one more descriptor each time, until they suffice.
    const failures = [];
    let last = await run(0);
    for (let spare = 1; last.failed && spare < 16; spare++) {
      failures.push(last);
      last = await run(spare);
    }
    const emfile = (syscall: string) => ({
      failed: true,
      error: {
        name: "LandlockError",
        code: "ERR_LANDLOCK_SYSCALL",
        syscall,
        errno: 24,
        errnoName: "EMFILE",
        processChanged: false,
      },
      advice: true,
      readable: "ok",
      leaked: 0,
      unchanged: true,
    });
    expect(last).toMatchObject({ failed: false, readable: "EACCES" });
    expect(failures.slice(0, 2)).toEqual([emfile("landlock_create_ruleset"), emfile("openat")]);
  },
);

testFromAbi(1, "every error for want of open files says so, also that of the library", async () => {
  const seen = await inSubprocess({}, async ({ call, landlock, outcome, thrown }) => {
    const { closeSync, openSync, readdirSync } = await import("node:fs");
    call("setrlimit", 7, new BigUint64Array([64n, 64n]));
    using ruleset = landlock.V1.ruleset();
    const held: number[] = [];
    while (outcome(() => held.push(openSync("/dev/null", "r"))) === "ok");
    const error = thrown(() => ruleset.restrictSelf());
    const spawned = thrown(() => ruleset.spawnSync(["/bin/true"]));
    for (const fd of held) closeSync(fd);
    const readable = outcome(() => readdirSync("/"));
    return { error, spawned, readable, then: outcome(() => ruleset.restrictSelf()) };
  });
  const message = expect.stringMatching(/ulimit -n/);
  const failed = { name: "LandlockError", message, processChanged: false };
  // From ABI 8 on, restricting all threads opens no file.
  const needsFiles = kernelAbi < 8;
  expect(seen as object).toMatchObject({
    ...(needsFiles && { error: failed }),
    spawned: failed,
    readable: needsFiles ? "ok" : "EACCES",
    then: "ok",
  });
});

testFromAbi(1, "a child finds no descriptor of this library", async () => {
  const seen = await inSubprocess({}, async ({ landlock, outcome }) => {
    const { readdirSync, readFileSync, writeFileSync } = await import("node:fs");
    const list = () => Bun.spawnSync(["ls", "/proc/self/fd"]).stdout.toString().trim().split("\n");
    const before = list();
    const open = readdirSync("/proc/self/fd");
    const config = landlock.config({ fs: ["make_reg"] });
    using ruleset = config.ruleset();
    const launched = ruleset.spawnSync(["ls", "/proc/self/fd"]).stdout.toString().trim();
    config.restrictPaths();
    // Bun closes them itself for its children; process.execve() does not.
    const kept: string[] = [];
    for (const fd of readdirSync("/proc/self/fd")) {
      const info = `/proc/self/fdinfo/${fd}`;
      if (open.includes(fd) || outcome(() => readFileSync(info)) !== "ok") continue;
      const flags = readFileSync(info, "utf8").match(/^flags:\s*(\d+)$/m)![1]!;
      if ((Number.parseInt(flags, 8) & 0o2000000) === 0) kept.push(fd);
    }
    const create = outcome(() => writeFileSync(`/tmp/${crypto.randomUUID()}`, ""));
    return { before, launched: launched.split("\n"), after: list(), kept, create };
  });
  expect(seen as object).toEqual({
    before: seen.before,
    launched: seen.before,
    after: seen.before,
    kept: [],
    create: "EACCES",
  });
});

testFromAbi(
  1,
  "a Ruleset cannot be used once it is closed, and closes its descriptor",
  async () => {
    const seen = await inSubprocess({}, async ({ landlock, outcome, thrown }) => {
      const { readdirSync } = await import("node:fs");
      const open = () => readdirSync("/proc/self/fd").length;
      const before = open();
      const ruleset = landlock.V1.ruleset();
      const built = open() - before;
      ruleset[Symbol.dispose]();
      ruleset[Symbol.dispose]();
      const disposed = open() - before;
      const errors = [
        thrown(() => ruleset.restrictSelf()),
        thrown(() => ruleset.spawn(["/bin/true"])),
        thrown(() => ruleset.spawnSync(["/bin/true"])),
      ];
      return { built, disposed, errors, readable: outcome(() => readdirSync("/")) };
    });
    const error = {
      name: "LandlockError",
      message: "This Ruleset is closed: make another one with config.ruleset()",
      code: "ERR_LANDLOCK_CLOSED",
      processChanged: false,
    };
    expect(seen as object).toEqual({
      built: 1,
      disposed: 0,
      errors: [error, error, error],
      readable: "ok",
    });
  },
);

testUnless(
  kernelAbi === 0 ? "needs Landlock" : userMissing,
  "a user without privileges restricts itself, on every thread",
  async () => {
    const user = plainUser();
    const dir = tempDir();
    chownSync(dir, user.uid, -1);
    const seen = await inSubprocess(
      { dir },
      async ({ landlock, outcome, outcomeOf, roDirs, threadField }, { dir }) => {
        const { readdirSync, writeFileSync } = await import("node:fs");
        const { readFile } = await import("node:fs/promises");
        writeFileSync(`${dir}/file`, "text");
        const attempt = async () => ({
          list: outcome(() => readdirSync("/")),
          pool: await outcomeOf(() => readFile("/etc/passwd")),
          allowed: await outcomeOf(() => readFile(`${dir}/file`)),
          write: outcome(() => writeFileSync(`${dir}/file`, "new")),
        });
        const before = await attempt();
        const { enforcement } = landlock.V1.restrictPaths(roDirs(dir, "/proc"));
        return {
          user: process.getuid?.(),
          before,
          enforcement,
          after: await attempt(),
          threads: [...new Set(threadField("NoNewPrivs"))],
        };
      },
      { user },
    );
    expect(seen as object).toEqual({
      user: user.uid,
      before: { list: "ok", pool: "ok", allowed: "ok", write: "ok" },
      enforcement: "full",
      after: { list: "EACCES", pool: "EACCES", allowed: "ok", write: "EACCES" },
      threads: ["1"],
    });
  },
);
