/** `presets.executable()` on programs of every kind, each with the preset and without. */
import { expect } from "bun:test";
import { chmodSync, copyFileSync, existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { presets, roDirs, rwDirs, type FsRule } from "../../src/index.ts";
import { nativePath } from "../../src/kernel/image.ts";
import { tempDir, testFromAbi } from "../harness.ts";
import { run, testWith } from "./programs.ts";

const { bun, executable, tls } = presets;
/** Not a version manager's shim, which is a script that starts other programs. */
const python = ["/usr/bin/python3", "/usr/local/bin/python3"].find((path) => existsSync(path));

async function script(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await Bun.write(path, text);
  chmodSync(path, 0o755);
  return path;
}

testFromAbi(
  1,
  "a shell script starts with executable(), what it starts needs its own",
  async () => {
    const path = await script(tempDir(), "script", '#!/bin/sh\necho "$0" started; ls /\n');
    const seen = await run([executable(path)], [path]);
    expect(seen).toMatchObject({ stdout: `${path} started\n` });
    expect(seen.stderr).toContain("Permission denied");
    const both = await run([executable(path, "ls"), presets.bun(), roDirs("/")], [path]);
    expect(both.status).toBe(0);
    expect(await run([], [path])).toMatchObject({ status: "EACCES" });
    expect(await run([roDirs(path)], [path])).toMatchObject({ status: "EACCES" });
  },
);

for (const [what, line] of [
  ["env", "#!/usr/bin/env sh"],
  ["env -S", "#! /usr/bin/env -S -u HOME A='b c' sh -e"],
] as const) {
  testFromAbi(1, `a script that starts by ${what} starts with executable()`, async () => {
    const path = await script(tempDir(), "script", `${line}\necho "$A" done\n`);
    const seen = await run([executable(path)], [path], { env: { PATH: process.env["PATH"] } });
    expect(seen).toEqual({
      status: 0,
      stdout: `${what === "env" ? "" : "b c"} done\n`,
      stderr: "",
    });
    expect(await run([executable("env")], [path])).toMatchObject({ status: "EACCES" });
  });
}

testFromAbi(1, "a script whose interpreter env finds on PATH as a script starts", async () => {
  const folder = tempDir();
  const inner = await script(folder, "inner-of-a-test", "#!/bin/sh\necho inner\n");
  const outer = await script(folder, "outer", "#!/usr/bin/env inner-of-a-test\n");
  const before = process.env["PATH"];
  process.env["PATH"] = `${folder}:${before}`;
  try {
    expect((executable(outer).rules[0] as FsRule).paths).toContain(inner);
    const env = { PATH: process.env["PATH"] };
    const seen = await run([executable(outer)], [outer], { env });
    expect(seen).toEqual({ status: 0, stdout: "inner\n", stderr: "" });
  } finally {
    process.env["PATH"] = before;
  }
});

testFromAbi(1, "a program linked statically needs its own file only", async () => {
  const path = join(tempDir(), "program");
  copyFileSync(nativePath(), path);
  chmodSync(path, 0o755);
  const [files, libraries] = executable(path).rules as FsRule[];
  expect(files!.paths).toEqual([path]);
  expect(libraries!.paths).toEqual([]);
  // This library's launcher, with nothing to launch.
  const seen = await run([executable(path)], [path]);
  expect(seen.status).toBeNumber();
  expect(await run([], [path])).toMatchObject({ status: "EACCES" });
});

testWith(
  ["git"],
  "git commits with executable(), bun() for its devices, and its folder",
  async () => {
    const folder = tempDir();
    const who = { NAME: "a", EMAIL: "a@example.org" };
    const named = (part: "AUTHOR" | "COMMITTER") =>
      Object.entries(who).map(([key, value]) => [`GIT_${part}_${key}`, value]);
    const env = {
      ...{ PATH: process.env["PATH"], HOME: folder, GIT_CONFIG_NOSYSTEM: "1" },
      ...Object.fromEntries([...named("AUTHOR"), ...named("COMMITTER")]),
    };
    const git = (rules: Parameters<typeof run>[0], ...args: string[]) =>
      run(rules, ["git", ...args], { cwd: folder, env });
    const all = [executable("git"), bun(), rwDirs(folder).withRefer()];
    expect(await git(all, "init", "-q")).toMatchObject({ status: 0 });
    await Bun.write(join(folder, "file"), "text");
    expect(await git(all, "add", "file")).toMatchObject({ status: 0 });
    expect(await git(all, "commit", "-q", "-m", "one")).toMatchObject({ status: 0 });
    const log = await git([executable("git"), bun(), roDirs(folder)], "log", "--format=%s");
    expect(log).toEqual({ status: 0, stdout: "one\n", stderr: "" });
    expect(await git([bun(), roDirs(folder)], "log")).toMatchObject({ status: "EACCES" });
    const path = Bun.spawnSync(["git", "--exec-path"]).stdout.toString().trim();
    const commit = ["commit", "-q", "--allow-empty", "-m", "two"];
    const unfit = await git(all, ...commit);
    expect(unfit.stderr).toContain("fatal: cannot exec 'maintenance'");
    expect(await git([...all, roDirs(path)], ...commit)).toEqual({
      ...{ status: 0, stdout: "", stderr: "" },
    });
    const noDevices = await git([executable("git"), roDirs(folder)], "log");
    expect(noDevices.status).toBe(128);
    expect(noDevices.stderr).toContain("could not open '/dev/null'");
  },
);

testWith([python ?? "python3"], "python3 runs with executable() and its own library", async () => {
  const name = python ?? "python3";
  const where = 'import sysconfig; print(sysconfig.get_paths()["stdlib"])';
  const library = Bun.spawnSync([name, "-c", where]).stdout.toString().trim();
  const command = [name, "-c", "import json; print(json.dumps([1]))"];
  const seen = await run([executable(name), roDirs(library)], command);
  expect(seen).toEqual({ status: 0, stdout: "[1]\n", stderr: "" });
  expect(await run([roDirs(library)], command)).toMatchObject({ status: "EACCES" });
  const bare = await run([executable(name)], command);
  expect(bare.status).toBe(1);
  expect(bare.stderr).toContain("No module named 'encodings'");
});

testWith([python ?? "python3"], "the python of a venv needs the venv too", async () => {
  const venv = join(tempDir(), "venv");
  expect(Bun.spawnSync([python!, "-m", "venv", "--without-pip", venv]).exitCode).toBe(0);
  const where = "import sysconfig; print(sysconfig.get_paths()[%])";
  const [library, packages] = [
    Bun.spawnSync([python!, "-c", where.replace("%", '"stdlib"')]),
    Bun.spawnSync([join(venv, "bin/python3"), "-c", where.replace("%", '"purelib"')]),
  ].map(({ stdout }) => stdout.toString().trim());
  await Bun.write(join(packages!, "mine.py"), "one = 1");
  const command = [join(venv, "bin/python3"), "-c", "import mine; print(mine.one)"];
  const rules = [executable(command[0]!), roDirs(library!)];
  expect((await run(rules, command)).status).toBe(1);
  expect(await run([...rules, roDirs(venv)], command)).toEqual({
    ...{ status: 0, stdout: "1\n", stderr: "" },
  });
});

testWith(["node"], "node runs with executable(), bun() and tls()", async () => {
  const command = ["node", "-e", "console.log(1)"];
  const seen = await run([executable("node"), bun(), tls()], command);
  expect(seen).toEqual({ status: 0, stdout: "1\n", stderr: "" });
  expect(await run([bun(), tls()], command)).toMatchObject({ status: "EACCES" });
});

/** The libraries that the loader itself lists. */
function loaded(path: string): string[] {
  const env = { ...process.env, LD_TRACE_LOADED_OBJECTS: "1" };
  const { stdout } = Bun.spawnSync([path], { env });
  const paths = stdout.toString().match(/(?<=[\s>])\/\S+(?= \()/g) ?? [];
  return [...new Set(paths.map((one) => realpathSync(one)))].sort();
}

for (const name of ["sh", "git", "openssl", "python3", "node", "bun"]) {
  testWith([name], `executable("${name}") names the libraries that the loader does`, async () => {
    const path = name === "bun" ? process.execPath : name === "python3" ? python! : name;
    const [files, libraries] = executable(path).rules as FsRule[];
    const ours = [...files!.paths.slice(1), ...libraries!.paths]
      .filter((one) => !one.startsWith("/etc/") && existsSync(one))
      .map((one) => realpathSync(one));
    expect([...new Set(ours)].sort()).toEqual(loaded(realpathSync(Bun.which(path)!)));
  });
}
