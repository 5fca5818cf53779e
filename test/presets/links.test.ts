/** Links that one run can plant must not choose what presets grant the next run. */
import { describe, expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { landlock, presets, rwDirs, type FsRule, type Rule } from "../../src/index.ts";
import { tempDir, testFromAbi } from "../harness.ts";
import { writeElf } from "./elf-file.ts";
import { testInNamespace, testInRootsNamespace } from "./namespace.ts";
import { project } from "./project.ts";

const cli = join(import.meta.dir, "../../src/cli.ts");
const { executable, modules } = presets;

/** Exit status and output of landlock-restrict with only these options. */
function restrict(cwd: string, words: readonly string[], before: readonly string[] = []) {
  const command = [...before, process.execPath, cli, ...words];
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd });
  return { exitCode, stderr: `${stderr}` };
}

const system = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc"];

/** A writable folder `w` next to one that is not writable. */
function scene() {
  const dir = realpathSync(tempDir());
  for (const name of ["w", "out", "bin"]) mkdirSync(join(dir, name));
  const out = join(dir, "out");
  cpSync(realpathSync("/bin/true"), join(out, "program"));
  writeFileSync(join(out, "script"), "#!/bin/sh\n# secret\n");
  chmodSync(join(out, "script"), 0o755);
  const link = (at: string, to: string) => symlinkSync(to, join(dir, at));
  return { dir, out, link };
}

testFromAbi(2, "executable= through a link out of a writable directory is refused", async () => {
  const { dir, out, link } = scene();
  link("w/program", "../out/program");
  link("w/script", join(out, "script"));
  link("w/all", "../out");
  link("two", "w/program");
  link("w/three", "../two");
  link("bin/found", "../w/three");
  const PATH = process.env["PATH"];
  for (const [name, file] of [
    ["w/program", "program"],
    ["./w/script", "script"],
    [`${dir}/w/all/program`, "program"],
    ["two", "program"],
    [`${dir}/w/three`, "program"],
    ["bin/found", "program"],
    ["found", "program"],
  ] as const) {
    const preset = `executable=${name.includes("/") || name === "found" ? name : `./${name}`}`;
    const words = [...system, "-rw", "w", "-preset", preset, "--", "/bin/true"];
    const { exitCode, stderr } = restrict(dir, words, ["env", `PATH=${dir}/bin:${PATH}`]);
    expect(stderr).toContain(`it leads to "${out}/${file}", out of "w"`);
    expect(exitCode).toBe(125);
    // Links outside writable folders belong to the operator.
    const others = [...system, "-rw", "bin", "-preset", "executable=./two", "--", "./two"];
    expect(restrict(dir, others)).toEqual({ exitCode: 0, stderr: "" });
  }
});

testFromAbi(2, "executable= through a link to a program of the system starts it", async () => {
  const { dir, link } = scene();
  const real = realpathSync("/bin/true");
  mkdirSync(join(dir, "w/venv"));
  link("w/venv/true", real);
  link("w/venv/again", "true");
  for (const name of ["true", "again"]) {
    const path = `${dir}/w/venv/${name}`;
    const words = ["-rw", "w", "-preset", `executable=${path}`, "--", path];
    const { exitCode, stderr } = restrict(dir, words);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`it can change "${path}", which decides what a preset grants`);
  }
});

testFromAbi(
  2,
  "executable= and modules= through links that stay in the directory work",
  async () => {
    const dir = project({
      "package.json": "{}",
      "node_modules/pkg/cli.js": "#!/usr/bin/env bun\nconsole.log(1);",
      "node_modules/.bin/cli": { link: "../pkg/cli.js" },
    });
    chmodSync(join(dir, "node_modules/pkg/cli.js"), 0o755);
    for (const preset of ["executable", "modules"]) {
      const words = [...system, "-rw", ".", "-preset", `${preset}=./node_modules/.bin/cli`];
      expect(restrict(dir, [...words, "--", "/bin/true"]).exitCode).toBe(0);
    }
  },
);

testFromAbi(2, "modules= through a link out of a writable directory is refused", async () => {
  const dir = project({
    "package.json": "{}",
    "other/project/m.ts": "// secret",
    "w/ml": { link: "../other/project" },
    "w/m.ts": { link: `../other/project/m.ts` },
    "two.ts": { link: "w/m.ts" },
  });
  for (const entry of ["w/ml/m.ts", "w/m.ts", "two.ts", `${dir}/w/ml/m.ts`]) {
    const words = [...system, "-rw", "w", "-preset", `modules=${entry}`, "--", "/bin/true"];
    const { exitCode, stderr } = restrict(dir, words);
    expect(stderr).toContain(`it leads to "${dir}/other/project/m.ts", out of "w"`);
    expect(exitCode).toBe(125);
    const reading = [...system, "-preset", `modules=${entry}`, "--", "/bin/true"];
    expect(restrict(dir, reading)).toEqual({ exitCode: 0, stderr: "" });
  }
});

describe("a plan names as rewritable a link on the way to", () => {
  const named = (...rules: Rule[]) => landlock.V11.bestEffort().plan(...rules).rewritable;

  test("a program, in the middle of several", () => {
    const { dir, link } = scene();
    link("two", "w/hop");
    link("w/hop", "../out/program");
    expect(named(executable(join(dir, "two")), rwDirs(join(dir, "w")))).toEqual([`${dir}/two`]);
  });

  test("an interpreter, a loader or a library", () => {
    const { dir, link } = scene();
    const path = (name: string) => join(dir, name);
    const loader = writeElf(path("out/loader"), {});
    writeElf(path("out/liba.so"), {});
    link("w/loader", loader);
    link("w/liba.so", "../out/liba.so");
    link("w/sh", realpathSync("/bin/sh"));
    const elf = { interpreter: path("w/loader"), needed: ["liba.so"], runpath: path("w") };
    const tool = writeElf(path("out/tool"), elf);
    writeFileSync(path("out/sh-script"), `#!${path("w/sh")}\n`);
    for (const name of ["tool", "sh-script"]) chmodSync(path(`out/${name}`), 0o755);
    const variants = [2, 3, 4].map((level) => `w/glibc-hwcaps/x86-64-v${level}/liba.so`);
    expect(named(executable(tool), rwDirs(path("w")))).toEqual(
      [...variants, "w/liba.so", "w/loader"].map(path),
    );
    expect(named(executable(path("out/sh-script")), rwDirs(path("w")))).toEqual([path("w/sh")]);
  });

  test("a script, one that is imported, or a package", () => {
    const dir = project({
      "package.json": "{}",
      "main.ts":
        'import "./w/a"; import "./w/b.ts"; import "./w/c/d.ts"; import "pkg"; import "./e"',
      "src/a.ts": "",
      "src/d.ts": "",
      "e/index.ts": "",
      "w/a.ts": { link: "../src/a.ts" },
      "w/b.ts": { link: "../src/a.ts" },
      "w/c": { link: "../src" },
      "src/pkg/index.js": "",
      "node_modules/pkg": { link: "../w/pkg" },
      "w/pkg": { link: "../src/pkg" },
      "entry.ts": { link: "w/entry.ts" },
      "w/entry.ts": { link: "../src/d.ts" },
    });
    const path = (name: string) => join(dir, name);
    const writing = rwDirs(path("w"));
    expect(named(modules(path("main.ts")), writing)).toEqual(
      ["node_modules/pkg", "w/a", "w/b.ts", "w/c/d.ts"].map(path),
    );
    expect(named(modules(path("entry.ts")), writing)).toEqual([path("entry.ts")]);
    expect(named(modules(path("main.ts")), rwDirs(path("none")))).toEqual([]);
  });
});

describe("executable() of a name", () => {
  const { dir } = scene();
  const before = { cwd: process.cwd(), PATH: process.env["PATH"] };
  /** The first granted file with this PATH, or the error. */
  const found = (PATH: string, name = "program") => {
    process.chdir(dir);
    process.env["PATH"] = PATH;
    try {
      return (executable(name).rules[0] as FsRule).paths[0];
    } catch (error) {
      return (error as Error).message;
    } finally {
      process.chdir(before.cwd);
      process.env["PATH"] = before.PATH;
    }
  };

  test("is an error that names the relative entry of PATH which has it", () => {
    cpSync(join(dir, "out/program"), join(dir, "program"));
    const refused = (entry: string) =>
      `Cannot grant "program": PATH has it in "${entry}", which is relative to the current directory; give its path, or take that entry off PATH`;
    expect(found("")).toBe(refused("."));
    expect(found("/usr/bin:")).toBe(refused("."));
    expect(found(":/usr/bin")).toBe(refused("."));
    expect(found(`/usr/bin::${dir}/out`)).toBe(refused("."));
    expect(found("out")).toBe(refused("out"));
    expect(found("/nowhere:./out:/usr/bin")).toBe(refused("./out"));
    expect(found("bin/../out/")).toBe(refused("bin/../out/"));
    writeFileSync(join(dir, "via-env"), "#!/usr/bin/env program\n");
    chmodSync(join(dir, "via-env"), 0o755);
    expect(found(`/usr/bin:out`, "./via-env")).toBe(
      refused("out").replace(`"program"`, `"program", which "${dir}/via-env" starts`),
    );
  });

  test("is found in an absolute entry of PATH that comes before, or where others lack it", () => {
    expect(found(`${dir}/out:`)).toBe(`${dir}/out/program`);
    expect(found(`bin:./w:${dir}/out:.`)).toBe(`${dir}/out/program`);
    expect(found(":bin", "./out/program")).toBe(`${dir}/out/program`);
  });
});

test("executable() takes no library from a relative directory", () => {
  const { dir } = scene();
  const loader = writeElf(join(dir, "out/loader"), {});
  writeElf(join(dir, "liba.so"), {});
  const before = process.cwd();
  process.chdir(dir);
  try {
    for (const elf of [
      { needed: ["liba.so"], runpath: "." },
      { needed: ["liba.so"], rpath: "./out/.." },
      { needed: ["./liba.so"] },
    ]) {
      writeElf(join(dir, "tool"), { interpreter: loader, ...elf });
      chmodSync(join(dir, "tool"), 0o755);
      expect(() => executable("./tool")).toThrow(/^Cannot find the library "(\.\/)?liba\.so"/);
    }
    writeElf(join(dir, "tool"), { interpreter: loader, needed: ["liba.so"], runpath: "$ORIGIN" });
    const [, libraries] = executable("./tool").rules as FsRule[];
    expect(libraries!.paths).toContain(join(dir, "liba.so"));
  } finally {
    process.chdir(before);
  }
});

const unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"];

testInNamespace([], "a link in a writable directory that is mounted twice is refused", async () => {
  const { dir, out, link } = scene();
  for (const name of ["m", "w/sub", "w/deep", "a b"]) mkdirSync(join(dir, name));
  link("w/link", out);
  link("w/sub/link", out);
  link("alias", "m/link");
  const word = (path: string) => `leads to "${out}", out of "${path}"`;
  for (const [mounts, rw, ro, expected] of [
    ["mount --bind w m", "w", "m/link", word("w")],
    ["mount --bind w m", "w", "alias", word("w")],
    ["mount --bind w m", "m", "w/link", word("m")],
    ["mount --bind w m", "w/sub", "m/sub/link", word("w/sub")],
    ["mount --bind w/sub m", "w", "m/link", word("w")],
    ["mount --bind w/sub m", "m", "w/sub/link", word("m")],
    ["mount --bind w 'a b'", "w", "a b/link", word("w")],
    ["mount --bind w m; mount --bind m 'a b'", "w", "a b/link", word("w")],
    ["mount --rbind w m; mount --bind w/sub m/deep", "w", "m/deep/link", word("w")],
    // It contains another file system that is also mounted elsewhere.
    [
      `mount -t tmpfs none w/deep; ln -s "$PWD/out" w/deep/link; mount --bind w/deep m`,
      ...(["w", "m/link", word("w")] as const),
    ],
    // These links are in another folder.
    ["mount --bind bin m; ln -s ../out bin/link", "w", "m/link", ""],
    ["mount --bind w m", "w/sub", "m/link", ""],
    ["mount --bind w m; mount --bind bin w/deep", "bin", "m/link", ""],
    // The mount hides the writable directory beneath it.
    [`mount --bind w m; mount -t tmpfs none m; ln -s "$PWD/out" m/link`, "w", "m/link", ""],
    // This one leads into the writable directory.
    ["mount --bind w m; ln -sfn ../w/sub w/near", "w", "m/near", ""],
  ] as const) {
    const words = [...system, "-rw", rw, "-ro", ro, "--", "/bin/true"];
    const seen = restrict(dir, words, [...unshare, `${mounts}; exec "$@"`, "sh"]);
    expect({ mounts, rw, ro, ...seen }).toEqual({
      ...{ mounts, rw, ro, exitCode: expected ? 125 : 0 },
      stderr: expected ? expect.stringContaining(expected) : "",
    });
  }
});

testInRootsNamespace([], "a link to what is not everybody's to read is refused", async () => {
  const { dir, link } = scene();
  const path = join(dir, "w/program");
  link("w/program", "/mnt/folder/program");
  const [allowed, refused] = [0, 125];
  for (const [change, expected] of [
    ["true", allowed],
    ["chmod 705 program", allowed],
    ["chmod 751 program", refused],
    ["chmod 757 program", refused],
    ["chmod 700 .", refused],
    ["chmod 757 .", refused],
    ["chown 1234 program", refused],
    ["chown 1234 .", refused],
    ["chgrp 1234 program; chmod 775 program", refused],
    ["chgrp 1234 program", allowed],
  ] as const) {
    const script = `mount -t tmpfs -o mode=755 none /mnt && mkdir /mnt/folder && cd /mnt/folder &&
      cp /bin/true program && chmod 755 . program && ${change} && cd "$0" && exec "$@"`;
    const words = [...system, "-rw", "w", "-preset", `executable=${path}`, "--", "/bin/true"];
    const { exitCode } = restrict(dir, words, ["unshare", "--mount", "sh", "-c", script, dir]);
    expect({ change, exitCode }).toEqual({ change, exitCode: expected });
  }
});
