/** Enforcement and threads under the musl build of Bun. */
import { beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { kernelAbi, patience, testUnless } from "../harness.ts";
import { isInstalled, muslBun, type MuslBun } from "./runtime.ts";

const root = join(import.meta.dir, "../..");

/** Test files that run at the same time; the second mostly waits for a name server. */
const lanes: Readonly<Record<string, readonly string[]>> = {
  "threads and enforcement": [
    ..."bun-io concurrent no-proc running unreachable whole-process"
      .split(" ")
      .map((name) => `test/threads/${name}.test.ts`),
    ..."inherit layers net open paths scoped-threads"
      .split(" ")
      .map((name) => `test/enforce/${name}.test.ts`),
    ..."code inherit workers".split(" ").map((name) => `test/spawn/${name}.test.ts`),
  ],
  "the network": ["test/threads/network.test.ts"],
};

async function missingHere(): Promise<string> {
  if (process.platform !== "linux" || process.arch !== "x64") return "for Linux on x64";
  if (process.env["LANDLOCK_TEST_PROGRAMS"]) return "for a machine with a compiler";
  if (kernelAbi === 0) return "needs Landlock";
  // CI promises it, so nothing is skipped.
  if (process.env["CI"] || isInstalled) return "";
  if (!Bun.which("musl-gcc")) return "needs musl-gcc";
  return (await import("../registry.ts")).registryMissing;
}

const missing = await missingHere();
/** They take half a minute, or ten times that on a busy machine. */
const lanesMs = 300_000;
let musl: MuslBun;

/** Bun ignores a missing file if another one exists. */
test("musl: every file of a lane is there", () => {
  const all = Object.values(lanes).flat();
  expect(all.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

/** Starts one lane; `bun test` prints at its end how many tests passed. */
async function run(files: readonly string[]) {
  const child = Bun.spawn([musl.bun, "test", ...files.map((file) => `./${file}`)], {
    cwd: root,
    env: { ...process.env, ...musl.env },
    stdout: "pipe",
    stderr: "pipe",
    timeout: patience(lanesMs),
  });
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  const text = stdout + stderr;
  return { text, code, passed: Number(/^ *(\d+) pass$/m.exec(text)?.[1] ?? 0) };
}

const running = new Map<string, ReturnType<typeof run>>();

beforeAll(async () => {
  if (missing) return;
  musl = await muslBun();
  for (const [lane, files] of Object.entries(lanes)) running.set(lane, run(files));
}, 120_000);

testUnless(missing, "musl: this Bun has musl for its libc, and no glibc", () => {
  const script = `console.log(require("fs").readFileSync("/proc/self/maps", "utf8"))`;
  const done = Bun.spawnSync([musl.bun, "-e", script], { env: { ...process.env, ...musl.env } });
  expect(done.stdout.toString()).toContain("-linux-musl/libc.so");
  expect(done.stdout.toString()).not.toContain("libc.so.6");
});

for (const lane of Object.keys(lanes)) {
  testUnless(
    missing,
    `musl: ${lane} as with glibc`,
    async () => {
      const { text, code, passed } = await running.get(lane)!;
      if (code !== 0) throw new Error(`bun test ended with ${code}:\n${text}`);
      expect(passed).toBeGreaterThan(5);
    },
    lanesMs + 5000,
  );
}
