/** A real run under strace: threads, children, its end, and its effect on the command. */
import { expect } from "bun:test";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LandlockError } from "../../src/index.ts";
import type { Attempt, Ending, Observation } from "../../src/trace/observation.ts";
import { observe } from "../../src/trace/observe.ts";
import { inSubprocess, tempDir, testFromAbi, testUnless } from "../harness.ts";
import { needsStrace } from "./strace.ts";

/** Everything a command does, how it ends, and what it prints. */
async function watch(command: readonly string[], cwd: string, env = process.env) {
  const watched = observe(command, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const { stdout, stderr } = watched.child as Bun.Subprocess<"ignore", "pipe", "pipe">;
  const [seen, out, err] = await Promise.all([
    Array.fromAsync(watched) as Promise<Observation[]>,
    stdout.text(),
    stderr.text(),
  ]);
  const attempts = seen.filter((one): one is Attempt => one.kind === "attempt");
  return { seen, attempts, out, err, ending: await watched.ending };
}

const ended = (exitCode: number): Ending => ({ exitCode, signal: null });

testUnless(needsStrace, "files, children and the command's own output and status", async () => {
  const cwd = realpathSync(tempDir());
  mkdirSync(join(cwd, "sub"));
  const script =
    "echo out; echo err >&2; cd sub; echo x >'a>b \"é'; (cat 'a>b \"é'); rm a*; exit 3";
  const { attempts, out, err, ending } = await watch(["sh", "-c", script], cwd);
  expect([out, err, ending]).toEqual(["out\nx\n", "err\n", ended(3)]);
  const path = join(cwd, "sub", 'a>b "é');
  const about = attempts.filter(({ operation }) => "path" in operation && operation.path === path);
  expect(
    about.map(({ operation, program }) => [operation.kind, program?.split("/").at(-1)]),
  ).toEqual([
    ["open", "sh"],
    ["open", "cat"],
    ["remove", "rm"],
  ]);
  expect(about.map(({ failed, found }) => [failed, found])).toEqual([
    [undefined, path],
    [undefined, path],
    [undefined, undefined],
  ]);
});

testUnless(needsStrace, "all threads of Bun, and what they are told in the end", async () => {
  const cwd = realpathSync(tempDir());
  writeFileSync(join(cwd, "data"), "1");
  const script = `
    const { promises, readFileSync } = require("node:fs");
    await promises.readFile("data");
    const url = URL.createObjectURL(new Blob(["require('node:fs').readFileSync('data'); postMessage(1)"]));
    await new Promise((done) => { new Worker(url).onmessage = done; });
    try { readFileSync("none"); } catch {}
    process.exit(0);`;
  const { attempts, ending } = await watch([process.execPath, "-e", script], cwd);
  expect(ending).toEqual(ended(0));
  const reads = attempts.filter(({ found }) => found === join(cwd, "data"));
  expect(new Set(reads.map(({ pid }) => pid)).size).toBe(2);
  expect(new Set(reads.map(({ process }) => process)).size).toBe(1);
  const missing = attempts.find(
    ({ operation }) => "path" in operation && operation.path === join(cwd, "none"),
  );
  expect(missing?.failed).toBe("ENOENT");
});

testUnless(needsStrace, "a signal that ends the command is how it ended", async () => {
  const { ending } = await watch(["sh", "-c", "kill -TERM $$"], tempDir());
  expect(ending).toEqual({ exitCode: null, signal: "SIGTERM" });
});

testUnless(
  needsStrace,
  "a command that does not exist is an error, and so is a trace of nothing",
  async () => {
    const watched = observe(["./none"], { cwd: tempDir(), stdio: ["ignore", "ignore", "ignore"] });
    const error = await Array.fromAsync(watched).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(LandlockError);
    expect((error as LandlockError).code).toBe("ERR_LANDLOCK_BLOCKED");
  },
);

testUnless("", "where there is no strace, the error says how to get it", async () => {
  const error = await inSubprocess(
    join(import.meta.dir, "../../src/trace/observe.ts"),
    async (_inside, file) => {
      const { observe } = (await import(file)) as typeof import("../../src/trace/observe.ts");
      process.env["PATH"] = "/nonexistent";
      try {
        observe(["true"]);
      } catch (caught) {
        const { code, message } = caught as LandlockError;
        return { code, message };
      }
      return undefined;
    },
  );
  expect(error?.code).toBe("ERR_LANDLOCK_PATH");
  expect(error?.message).toContain("apt-get install strace");
});

if (!needsStrace) {
  testFromAbi(1, "what a sandbox denies comes behind the restriction", async () => {
    const cwd = realpathSync(tempDir());
    writeFileSync(join(cwd, "secret"), "1");
    const cli = join(import.meta.dir, "../../src/cli.ts");
    const command = ["-ro", "/usr", "/bin", "/lib", "/lib64", "-rofiles", "/etc/ld.so.cache"];
    const { seen, attempts, err, ending } = await watch(
      [process.execPath, cli, ...command, "--", "cat", join(cwd, "secret")],
      cwd,
    );
    expect(err).toContain("Permission denied");
    expect(ending).toEqual(ended(1));
    const at = seen.findIndex(({ kind }) => kind === "restriction");
    expect(at).toBeGreaterThan(0);
    expect(seen.slice(0, at).every((one) => one.kind !== "attempt" || one.layers === 0)).toBe(true);
    const denied = attempts.filter(({ layers, failed }) => layers > 0 && failed === "EACCES");
    expect(denied.map(({ operation }) => operation)).toContainEqual({
      kind: "open",
      path: join(cwd, "secret"),
      read: true,
    });
  });
}
