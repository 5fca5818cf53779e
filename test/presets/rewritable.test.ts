/** Files that choose what presets grant, and that the same rules let be changed, are named. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
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

/** A program with a library, and a script, in folders of their own. */
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

test("config.plan() knows links and relative paths, and what does not exist", () => {
  const { folder, tool } = scene();
  symlinkSync(folder, join(folder, "data/all"));
  symlinkSync(tool, join(folder, "data/tool"));
  const named = (...rules: Rule[]) => config.plan(...rules).rewritable;
  expect(named(executable(tool), rwDirs(join(folder, "data/all/bin")))).toEqual([tool]);
  // The link to the program is in a folder that may be written, the program is not.
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
