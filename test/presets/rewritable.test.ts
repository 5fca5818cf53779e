/** Presets name files that choose what they grant, if the same rules let those be changed. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  landlock,
  pathAccess,
  planFor,
  presets,
  roDirs,
  rwDirs,
  rwFiles,
  type Rule,
} from "../../src/index.ts";
import { firstWritable } from "../../src/policy/exposed.ts";
import { cli, inSubprocess, run, testFromAbi } from "../harness.ts";
import { writeElf } from "./elf-file.ts";
import { project } from "./project.ts";

const { executable, modules } = presets;
const config = landlock.V11.bestEffort();
const kernel = { abi: 11, errata: 0xff, state: "enabled" } as const;

/** A program with a library, and a script, each in its own folder. */
function scene() {
  const folder = project({
    "app/package.json": '{ "name": "app" }',
    "app/main.ts": 'import "./b.ts"',
    "app/b.ts": "",
  });
  for (const name of ["bin", "lib", "data"]) mkdirSync(join(folder, name));
  const loader = writeElf(join(folder, "lib/loader"), {});
  const library = writeElf(join(folder, "lib/liba.so"), {});
  const tool = writeElf(join(folder, "bin/tool"), { interpreter: loader, needed: [library] });
  return { folder, tool, library, loader };
}

function rewritable(...rules: Rule[]): readonly string[] {
  return planFor(config, rules, kernel).rewritable;
}

describe("a plan names as rewritable", () => {
  const { folder, tool, library, loader } = scene();

  test("the program, its loader and its libraries, where they may be written", () => {
    expect(rewritable(executable(tool), rwDirs(folder))).toEqual([tool, library, loader].sort());
    expect(rewritable(executable(tool), rwDirs("/"))).toEqual(
      expect.arrayContaining([tool, library, loader]),
    );
    expect(rewritable(executable(tool), rwDirs(`${folder}/lib/`))).toEqual(
      [library, loader].sort(),
    );
    expect(rewritable(executable(tool), rwFiles(tool))).toEqual([tool]);
    expect(rewritable(rwFiles(tool), executable(tool))).toEqual([tool]);
  });

  test("what may be removed, and so replaced", () => {
    const remove = pathAccess(["remove_file", "make_reg"], join(folder, "bin"));
    expect(rewritable(executable(tool), remove)).toEqual([tool]);
    const move = pathAccess(["remove_dir", "make_dir"], folder);
    expect(rewritable(executable(tool), move)).toEqual([tool, library, loader].sort());
  });

  test("a script, and all that it imports", () => {
    const entry = modules(join(folder, "app/main.ts"));
    expect(rewritable(entry, rwDirs(folder))).toEqual(
      ["b.ts", "main.ts", "package.json"].map((name) => join(folder, "app", name)),
    );
    expect(rewritable(entry, rwFiles(join(folder, "app/b.ts")))).toEqual([
      join(folder, "app/b.ts"),
    ]);
  });

  test("nothing that may only be read, or is merely beside it", () => {
    const beside = [rwDirs(join(folder, "data"), join(folder, "bi")), roDirs(folder)];
    expect(rewritable(executable(tool), modules(join(folder, "app/main.ts")), ...beside)).toEqual(
      [],
    );
    expect(rewritable(rwDirs(folder), roDirs(tool))).toEqual([]);
    expect(rewritable(executable(tool), pathAccess(["make_reg"], folder))).toEqual([]);
  });

  test("nothing where writing is not restricted: that is for ordinary permissions to say", () => {
    const reading = landlock.config({ fs: ["execute", "read_file"] });
    const { rewritable } = planFor(reading, [executable(tool), rwDirs(folder)], kernel);
    expect(rewritable).toEqual([]);
  });

  test("the same for rules that went through JSON, and for nested ones", () => {
    const rules = [executable(tool), rwDirs(folder)];
    const again = JSON.parse(JSON.stringify(rules)) as Rule[];
    expect(rewritable(...again)).toEqual(rewritable(...rules));
    expect(rewritable(presets.tmp(), executable(tool)).length > 0).toBe(
      tool.startsWith((presets.tmp().paths as string[])[0]!),
    );
  });
});

describe("a plan names as rewritable a missing file that would come first", () => {
  const made = (path: string) => rwDirs(path).createIfMissing();

  test("a package in a nearer node_modules", () => {
    const folder = project({
      "package.json": "{}",
      "main.ts": 'import "./pkg/sub/a"; import("./plugin").catch(() => {})',
      "pkg/sub/a.ts": 'import "dep/lib/x"; import "@own/one"; try { require("none") } catch {}',
      "node_modules/dep/lib/x.js": "",
      "node_modules/@own/one/index.js": "",
      "pkg/sub/node_modules/@own/two/index.js": "",
      "other/a.ts": "",
    });
    const path = (name: string) => join(folder, name);
    const named = (...rules: Rule[]) => rewritable(modules(path("main.ts")), ...rules);
    const places = ["@own/one", "dep", "none"].map((name) => path(`pkg/node_modules/${name}`));
    expect(named(made(path("pkg/node_modules")))).toEqual(places);
    expect(named(made(places[1]!))).toEqual([places[1]!]);
    expect(named(made(path("pkg/sub/node_modules/@own")))).toEqual([
      path("pkg/sub/node_modules/@own/one"),
    ]);
    expect(named(made(path("node_modules/none")))).toEqual([path("node_modules/none")]);
    expect(named(made(path("plugin")))).toEqual([path("plugin")]);
    const linking = pathAccess(["make_sym"], path("pkg"));
    expect(named(linking)).toContain(path("pkg/node_modules/dep"));
    // The files in it suffice to report it.
    expect(named(rwDirs(path("pkg")))).toEqual([path("pkg/sub/a.ts")]);
    for (const name of ["other", "pkg/other", "pkg/sub/node_modules/@own/two", "node_modules/x"]) {
      expect(named(made(path(name)))).toEqual([]);
    }
  });

  test("what would make the project larger", () => {
    const folder = project({
      "all/package.json": '{ "type": "module" }',
      "all/app/package.json": "{}",
      "all/app/main.ts": "",
    });
    const entry = modules(join(folder, "all/app/main.ts"));
    const manifest = join(folder, "all/package.json");
    expect(rewritable(entry, rwFiles(manifest))).toEqual([manifest]);
    const linking = pathAccess(["make_sym"], join(folder, "all"));
    expect(rewritable(entry, linking)).toContain(join(folder, "all/pnpm-workspace.yaml"));
    expect(rewritable(entry, rwDirs(folder))).toEqual(
      ["main.ts", "package.json"].map((name) => join(folder, "all/app", name)),
    );
  });

  test("what the paths, the baseUrl or the extends of a tsconfig.json name", () => {
    const folder = project({
      "package.json": "{}",
      "tsconfig.json":
        '{ "extends": "./base/ts", "compilerOptions": { "baseUrl": "lib", "paths": { "@/*": ["../gen/*", "../src/*"] } } }',
      "main.ts": 'import "@/a"; import "dep"',
      "src/a.ts": "",
      "node_modules/dep/index.js": "",
    });
    const path = (name: string) => join(folder, name);
    for (const [name, place] of [
      ["gen", "gen/a"],
      ["lib", "lib/dep"],
      ["base", "base/ts"],
    ] as const) {
      expect(rewritable(modules(path("main.ts")), made(path(name)))).toContain(path(place));
    }
  });

  test("a program in a folder that comes first on PATH, and a library", () => {
    const { folder } = scene();
    const path = (name: string) => join(folder, name);
    for (const name of ["first", "second"]) mkdirSync(path(name));
    const loader = path("lib/loader");
    const elf = {
      interpreter: loader,
      needed: ["liba.so"],
      runpath: `${path("first")}:${path("lib")}`,
    };
    writeElf(path("bin/named"), elf);
    writeFileSync(path("bin/script"), "#!/usr/bin/env named\n", { mode: 0o755 });
    const before = process.env["PATH"];
    process.env["PATH"] =
      `relative:${path("second")}:${path("none")}:${path("bin")}:${before}:${path("data")}`;
    try {
      const named = (name: string, ...open: string[]) =>
        rewritable(executable(name), ...open.map((one) => made(path(one))));
      expect(named("named", "second")).toEqual([path("second/named")]);
      expect(named("named", "none")).toEqual([path("none/named")]);
      expect(named(path("bin/script"), "second")).toEqual([path("second/named")]);
      expect(named(path("bin/named"), "second", "none", "data")).toEqual([]);
      expect(named("named", "data", "relative")).toEqual([]);
      expect(named("named", "first")).toContain(path("first/liba.so"));
      expect(named("named", "first/glibc-hwcaps/x86-64-v3")).toEqual([
        path("first/glibc-hwcaps/x86-64-v3/liba.so"),
      ]);
    } finally {
      process.env["PATH"] = before;
    }
  });
});

test("config.plan() knows links and relative paths, and what does not exist", () => {
  const { folder, tool } = scene();
  symlinkSync(folder, join(folder, "data/all"));
  symlinkSync(tool, join(folder, "data/tool"));
  const named = (...rules: Rule[]) => config.plan(...rules).rewritable;
  expect(named(executable(tool), rwDirs(join(folder, "data/all/bin")))).toEqual([tool]);
  // The folder of the program's link is writable, the program is not.
  const link = join(folder, "data/tool");
  expect(named(executable(link), rwDirs(join(folder, "data")))).toEqual([link]);
  expect(named(executable(link), rwDirs(join(folder, "bin")))).toEqual([link]);
  expect(named(executable(tool), rwDirs(join(folder, "none/such")))).toEqual([]);
  const cwd = process.cwd();
  process.chdir(folder);
  try {
    expect(named(executable("bin/tool"), rwDirs("bin"))).toEqual([tool]);
    expect(named(executable("bin/tool"), rwDirs("./data/../bin"))).toEqual([tool]);
  } finally {
    process.chdir(cwd);
  }
});

testFromAbi(1, "a report names what its rules let be changed", async () => {
  const { folder, tool } = scene();
  const seen = await inSubprocess({ folder, tool }, (inside, { folder, tool }) => {
    const { landlock, presets, rwDirs } = inside;
    const rules = [presets.executable(tool), rwDirs(`${folder}/bin`)];
    return landlock.V11.bestEffort().restrictPaths(...rules).rewritable;
  });
  expect(seen as readonly string[]).toEqual([tool]);
});

testFromAbi(1, "landlock-restrict warns of it, and plan, -v and the preload say it", async () => {
  const { folder } = scene();
  const restrict = (...words: string[]) => run([...cli, ...words], folder);
  const system = ["-ro", "/usr", "/bin", "/lib", "/lib64"];
  const preset = ["-preset", "modules=app/main.ts"];
  const warning = `it can change "${folder}/app/b.ts" and 2 more, which decides what a preset grants the next time: keep it out of writable directories\n`;
  const echo = ["--", "/bin/echo", "ran"];
  expect(restrict(...system, ...preset, "-rw", ".", ...echo)).toEqual({
    code: 0,
    stdout: "ran\n",
    stderr: `landlock-restrict: careful with this command: ${warning}`,
  });
  expect(restrict(...system, ...preset, "-rw", "data", ...echo)).toEqual({
    code: 0,
    stdout: "ran\n",
    stderr: "",
  });
  const row = `rewritable:  ${folder}/app/b.ts: its content decides what a preset grants\n`;
  expect(restrict("plan", ...preset, "-rw", ".").stdout).toContain(row);
  expect(restrict(...system, ...preset, "-rw", ".", "-v", ...echo).stderr).toContain(row);
  const { rewritable } = JSON.parse(restrict("plan", "--json", ...preset, "-rw", ".").stdout) as {
    rewritable: string[];
  };
  expect(rewritable).toHaveLength(3);

  const policy = { bestEffort: true, presets: ["modules=main.ts"], ro: ["/"], rw: ["."] };
  await Bun.write(
    join(folder, "app/package.json"),
    JSON.stringify({ name: "app", landlock: policy }),
  );
  const preload = join(import.meta.dir, "../../src/preload.ts");
  const words = ["--preload", preload, join(folder, "app/main.ts")];
  expect(run([process.execPath, ...words], folder).stderr).toBe(
    `bun-landlock/preload: careful with this program: ${warning}bun-landlock/preload: careful with this program: it can change "${folder}/app/main.ts", so its next run may get past the preload: start it with landlock-restrict -policy\n`,
  );
  expect(readFileSync(join(folder, "app/b.ts"), "utf8")).toBe("");
});

test("the preload warns if files can be put next to the program, or where it is started", () => {
  const { folder } = scene();
  symlinkSync(folder, join(folder, "link"));
  const places = [join(folder, "app/main.ts"), join(folder, "app"), folder];
  const first = (rule: Rule) => firstWritable(planFor(config, [rule], kernel).rules, places);
  expect(first(rwFiles(join(folder, "app/main.ts")))).toBe(places[0]);
  expect(first(pathAccess(["make_reg"], join(folder, "link/app")))).toBe(places[0]);
  expect(first(pathAccess(["make_sym"], folder))).toBe(places[0]);
  expect(first(rwDirs(join(folder, "data")))).toBeUndefined();
  expect(first(roDirs(folder))).toBeUndefined();
});
