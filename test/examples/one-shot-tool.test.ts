/** The one-shot tool on real files, and with a parser that an attacker controls. */
import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { kernelAbi, tempDir, testFromAbi } from "../harness.ts";
import type { Printed } from "./hostile-input.ts";
import { example } from "./programs.ts";

const files = {
  "notes.md": "# One\n\nA [link](x) and an ![image](y).\n\n## Two\n",
  "data.json": '{ "a": [1, 2, { "b": null }] }',
  "data.toml": "[table]\nx = 1\ny = [2, 3]\n",
  "data.yaml": "list:\n  - 1\n  - two\n",
  "plain.txt": "a\nb\nc",
};

function makeFiles(): string {
  const folder = tempDir();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function run(cwd: string, args: readonly string[], options: readonly string[] = []) {
  const command = [process.execPath, ...options, example("one-shot-tool"), ...args];
  const { stdout, stderr, exitCode } = Bun.spawnSync(command, { cwd, timeout: 20_000 });
  return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
}

testFromAbi(1, "one-shot-tool.ts tells what is in the files that it is given", async () => {
  expect(run(makeFiles(), Object.keys(files))).toEqual({
    stdout: [
      "notes.md: lines 5, headings 2, links 1, images 1",
      "data.json: lines 1, values 3, depth 3",
      "data.toml: lines 3, values 3, depth 3",
      "data.yaml: lines 3, values 2, depth 2",
      "plain.txt: lines 3",
      "",
    ].join("\n"),
    stderr: "",
    exitCode: 0,
  });
});

testFromAbi(
  1,
  "one-shot-tool.ts names all files that are missing, before it reads any",
  async () => {
    const { stdout, stderr, exitCode } = run(makeFiles(), ["plain.txt", "no.md", "none.md"]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(stderr).toMatch(/"no\.md".*"none\.md"/);
  },
);

testFromAbi(1, "a parser that somebody has taken over reads the named files only", async () => {
  const folder = makeFiles();
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const preload = ["--preload", join(import.meta.dir, "hostile-input.ts")];
  const attack = (secret: string) => {
    const targets = JSON.stringify({ secret: join(folder, secret), port: server.port });
    const done = run(folder, ["data.yaml", "plain.txt", targets], preload);
    expect(done.stdout).toBe("data.yaml: lines 3, values 2, depth 2\nplain.txt: lines 3\n");
    return JSON.parse(done.stderr) as Printed;
  };
  const denied = attack("notes.md");
  expect(denied.before).toMatchObject({ read: "ok", create: "ok", execute: "ok", listen: "ok" });
  const others = {
    create: "EACCES",
    execute: "EACCES",
    listen: kernelAbi >= 4 ? "EACCES" : "ok",
    signal: kernelAbi >= 6 ? "EPERM" : "ok",
  };
  expect(denied.inside).toEqual({ read: "EACCES", ...others });
  expect(attack("plain.txt").inside).toEqual({ read: "ok", ...others });
});
