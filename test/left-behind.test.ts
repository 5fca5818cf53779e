/** Whatever a failing test started is gone when `bun test` ends. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { patience, tempDir, testUnless } from "./harness.ts";
import { marked, processesOf } from "./processes.ts";

/** Skipped on an emulated machine, where nothing supervises `bun test`. */
const missing = process.env["LANDLOCK_TEST_PROGRAMS"] ? "needs a machine that goes on" : "";

/** Tests that fail in different ways while their process sleeps. `mark` is how long it sleeps. */
const failing: Readonly<Record<string, (mark: string) => string>> = {
  "a plain child": (mark) => `
    Bun.spawn(["sleep", "${mark}"]);
    expect(1).toBe(2);`,
  "an orphan in a session and an environment of its own": (mark) => `
    Bun.spawnSync(["setsid", "sh", "-c", "sleep ${mark} & :"], { env: { PATH: process.env.PATH } });
    expect(1).toBe(2);`,
  "a child of inSubprocess(), which runs out of time": (mark) => `
    await inSubprocess("${mark}", async (_, mark) => {
      Bun.spawn(["sh", "-c", "trap '' HUP TERM INT; sleep " + mark + "; :"]);
      await Bun.sleep(60_000);
    }, { timeoutMs: 500 });`,
  "a command on a terminal, which runs out of time": (mark) => `
    await onTerminal(["sh", "-c", "trap '' HUP; sleep ${mark}; :"], 80);`,
  "a command of run(), which ends and leaves a child": (mark) => `
    expect(run(["sh", "-c", "sleep ${mark} >/dev/null 2>&1 &"], "/").code).toBe(1);`,
  "a child that is stopped": (mark) => `
    const child = Bun.spawn(["sleep", "${mark}"]);
    child.kill("SIGSTOP");
    throw new Error();`,
  "a test that ends the whole run": (mark) => `
    Bun.spawn(["sleep", "${mark}"]);
    process.kill(process.pid, "SIGKILL");`,
};

/** Runs one test as this folder's tests run, and returns the exit status of `bun test`. */
async function runTest(body: string): Promise<number> {
  const folder = tempDir();
  const here = (file: string) => JSON.stringify(join(import.meta.dir, file));
  await Bun.write(join(folder, "bunfig.toml"), `[test]\npreload = [${here("tidy-up.ts")}]\n`);
  await Bun.write(
    join(folder, "failing.test.ts"),
    `import { expect, test } from "bun:test";
    import { inSubprocess } from ${here("harness.ts")};
    import { onTerminal } from ${here("pty.ts")};
    import { run } from ${here("harness.ts")};
    test("fails", async () => {${body}}, 2000);`,
  );
  const child = Bun.spawn([process.execPath, "test"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "ignore"],
    timeout: patience(20_000),
  });
  return child.exited;
}

for (const [what, body] of Object.entries(failing)) {
  testUnless(missing, `a failing test leaves nothing behind: ${what}`, async () => {
    const mark = marked();
    const code = await runTest(body(mark));
    expect(processesOf(mark)).toEqual([]);
    expect(code).toBe(what.includes("whole run") ? 137 : 1);
  });
}

testUnless(
  missing,
  "a test that passes makes bun test end with 0, and what it left is gone",
  async () => {
    const mark = marked();
    expect(await runTest(`Bun.spawn(["sleep", "${mark}"]);`)).toBe(0);
    expect(processesOf(mark)).toEqual([]);
  },
);

test("a mark is found in the command line of a process that runs", async () => {
  const mark = marked();
  const child = Bun.spawn(["sh", "-c", "echo runs; read -r _", mark], { stdin: "pipe" });
  await child.stdout.getReader().read();
  const found = processesOf(mark);
  child.kill();
  expect(found).toEqual([`sh -c echo runs; read -r _ ${mark} `]);
});
