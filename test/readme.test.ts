/** The README's TypeScript is what it says: it type-checks, and it runs. */
import { expect } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folders } from "./folders.ts";
import { kernelAbi, tempDir, testUnless } from "./harness.ts";

const root = join(import.meta.dir, "..");
const text = readFileSync(join(root, "README.md"), "utf8");
const snippets = [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!);

/** A project in which the package's name stands for the sources. */
async function makeProject(): Promise<string> {
  const folder = tempDir();
  const { compilerOptions } = await Bun.file(join(root, "tsconfig.json")).json();
  const types = [join(root, "node_modules/bun-types")];
  const paths = { "bun-landlock": [join(root, "src/index.ts")] };
  const options = { ...compilerOptions, types, paths };
  const include = ["*.ts", join(root, "src/kernel/so.d.ts")];
  const tsconfig = JSON.stringify({ compilerOptions: options, include });
  await Bun.write(join(folder, "tsconfig.json"), tsconfig);
  for (const [i, code] of snippets.entries()) await Bun.write(join(folder, `${i}.ts`), code);
  // What the snippets name: the policy that stands beside them, and a repository.
  await Bun.write(join(folder, "landlock.toml"), text.match(/^```toml\n([^]*?)^```$/m)![1]!);
  const project = join(folder, "project");
  const commit = ["commit", "--quiet", "--allow-empty", "--message=first"];
  const who = ["-c", "user.name=a", "-c", "user.email=a@b.example"];
  for (const words of [
    ["init", "--quiet", project],
    ["-C", project, ...who, ...commit],
  ]) {
    const { success, stderr } = Bun.spawnSync(["git", ...words]);
    if (!success) throw new Error(stderr.toString());
  }
  return folder;
}

const git = Bun.which("git") ? "" : "needs git";

testUnless(
  git,
  "the README's TypeScript type-checks",
  async () => {
    expect(snippets.length).toBeGreaterThan(2);
    const cwd = await makeProject();
    const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, "check"], { cwd });
    expect([exitCode, `${stdout}${stderr}`]).toEqual([0, expect.any(String)]);
  },
  60_000,
);

testUnless(
  git || (kernelAbi < 4 ? "needs Landlock ABI 4" : ""),
  "the README's TypeScript runs",
  async () => {
    const cwd = await makeProject();
    // One pixel, for the snippet that converts an image.
    const pixel = Uint8Array.fromBase64("R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=");
    for (const [i, code] of snippets.entries()) {
      const done = Bun.spawnSync([process.execPath, `${i}.ts`], { cwd, stdin: pixel });
      expect([done.exitCode, done.stderr.toString()]).toEqual([0, ""]);
      if (code.includes("Image")) expect(done.stdout.toString("latin1")).toStartWith("\x89PNG");
      if (code.includes("sort")) expect(done.stdout.toString()).toBe("a\nb\n\n");
    }
  },
);

testUnless(
  git || (kernelAbi < 1 ? "needs Landlock" : ""),
  "the README's first example lets ls and memoryUsage() work, and closes the rest",
  async () => {
    const cwd = await makeProject();
    const outside = mkdtempSync("/var/tmp/landlock-test-");
    folders.push(outside);
    await Bun.write(join(outside, "file"), "text");
    const next = `
      Bun.spawnSync(["ls"]);
      process.memoryUsage();

      const { readFileSync, writeFileSync } = require("node:fs");
      const outcome = (action) => { try { return action(), "ok" } catch ({ code }) { return code } };
      const ls = Bun.spawnSync(["ls"]);
      console.log(JSON.stringify({
        ls: [ls.exitCode, ls.stdout.toString().split("\\n").includes("landlock.toml"), ls.stderr.toString()],
        memory: process.memoryUsage().rss > 0,
        own: outcome(() => readFileSync("landlock.toml")),
        outside: outcome(() => readFileSync(${JSON.stringify(join(outside, "file"))})),
        etc: outcome(() => readFileSync("/etc/passwd")),
        write: outcome(() => writeFileSync(${JSON.stringify(join(outside, "new"))}, "")),
      }));`;
    const program = (code: string) => {
      const file = join(cwd, "first.ts");
      writeFileSync(file, code + next);
      const done = Bun.spawnSync([process.execPath, file], { cwd });
      return { ...JSON.parse(done.stdout.toString()), stderr: done.stderr.toString() };
    };
    const works = { ls: [0, true, ""], memory: true, own: "ok", stderr: "" };
    const open = { ...works, outside: "ok", etc: "ok", write: "ok" };
    expect(program("")).toEqual(open);
    const closed = { outside: "EACCES", etc: "EACCES", write: "EACCES" };
    expect(program(snippets[0]!)).toEqual({ ...works, ...closed });
  },
);
