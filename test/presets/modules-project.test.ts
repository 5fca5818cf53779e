/** Untrusted scripts: whatever they import, `modules()` grants only code of their project. */
import { describe, expect, test } from "bun:test";
import { chownSync, cpSync } from "node:fs";
import { join } from "node:path";
import { pathAccess, presets, type FsRule } from "../../src/index.ts";
import { nativePath } from "../../src/kernel/image.ts";
import { presetOf } from "../../src/presets/presets.ts";
import { inSubprocess, testFromAbi } from "../harness.ts";
import { granted, project, type Files } from "./project.ts";
import { run } from "./programs.ts";

const { bun, executable, modules } = presets;

testFromAbi(1, "a script that requires a secret does not make it readable", async () => {
  const folder = project({ "app/package.json": "{}", secret: "a private key" });
  const main = join(folder, "app/main.ts");
  const reads = `console.log(await Bun.file("${folder}/secret").text().catch((error) => error.code))`;
  const start = async () => {
    const rules = [executable(process.execPath), bun({ children: true }), modules(main)];
    return run(rules, [process.execPath, main], { cwd: join(folder, "app") });
  };
  await Bun.write(main, reads);
  expect(await start()).toMatchObject({ status: 0, stdout: "EACCES\n" });
  await Bun.write(main, `try { require("${folder}/secret") } catch {} ${reads}`);
  expect(start()).rejects.toThrow(`Cannot grant "${folder}/secret", which "${main}" names`);
});

describe("modules() refuses by name", () => {
  const app = {
    "app/package.json": '{ "name": "app" }',
    "home/key": "secret",
    "home/a.json": "{}",
  };
  const cases: Record<string, [main: string, refused: string, files?: Files]> = {
    "a file by its absolute path": ['require("FOLDER/home/a.json")', "home/a.json"],
    "a file by a relative path": ['import "../home/a.json"', "home/a.json"],
    "a file by its URL": ['import "file://FOLDER/home/a.json"', "home/a.json"],
    "a file that is imported later": [
      'export const a = () => import("../home/a.json")',
      "home/a.json",
    ],
    "text outside": ['import a from "../home/key" with { type: "text" }; a', "home/key"],
    "text inside": [
      'import a from "./a.txt" with { type: "text" }; a',
      "app/a.txt",
      { "app/a.txt": "" },
    ],
    "a file that is code by its import only": [
      'import "./a.key" with { type: "js" }',
      "app/a.key",
      { "app/a.key": "" },
    ],
    "a file without a suffix": ['require("./id_rsa")', "app/id_rsa", { "app/id_rsa": "" }],
    "settings of the environment": ['require("./.env")', "app/.env", { "app/.env": "" }],
    "a link that leads out": [
      'import "./a.json"',
      "home/a.json",
      { "app/a.json": { link: "../home/a.json" } },
    ],
    "a link of a folder that leads out": [
      'import "./lib/a.json"',
      "home/a.json",
      { "app/lib": { link: "../home" } },
    ],
    "a link with the name of code": [
      'import "./a.js"',
      "home/key",
      { "app/a.js": { link: "../home/key" } },
    ],
    "a package that is linked from elsewhere": [
      'import "linked"',
      "home/linked/index.js",
      { "home/linked/index.js": "", "app/node_modules/linked": { link: "../../home/linked" } },
    ],
    "a package of a folder above": [
      'import "above"',
      "node_modules/above/index.js",
      { "node_modules/above/index.js": "" },
    ],
    "what an import of a package is mapped to": [
      'import "inside"',
      "app/node_modules/inside/key",
      {
        "app/node_modules/inside/package.json": '{ "exports": "./key" }',
        "app/node_modules/inside/key": "",
      },
    ],
    "what package.json maps an import to": [
      'import "#a"',
      "app/a.key",
      { "app/package.json": '{ "imports": { "#a": "./a.key" } }', "app/a.key": "" },
    ],
    "what tsconfig.json maps an import to": [
      'import "@a"',
      "home/a.json",
      { "app/tsconfig.json": '{ "compilerOptions": { "paths": { "@a": ["../home/a.json"] } } }' },
    ],
    "a tsconfig.json that extends a secret": [
      "",
      "home/key",
      { "app/tsconfig.json": '{ "extends": "../home/key" }' },
    ],
    "a tsconfig.json that is a link": [
      "",
      "home/key",
      { "app/tsconfig.json": { link: "../home/key" } },
    ],
    "a package.json of a package that is a link": [
      'import "inside"',
      "home/key",
      {
        "app/node_modules/inside/index.js": "",
        "app/node_modules/inside/package.json": { link: "../../../home/key" },
      },
    ],
    "a file in a hidden directory": [
      'import "./.config/token.json"',
      "app/.config/token.json",
      { "app/.config/token.json": "{}" },
    ],
    "a native add-on that is none": [
      'require("./a.node")',
      "app/a.node",
      { "app/a.node": "secret" },
    ],
    "a native library that is none": [
      'import a from "./a.so" with { type: "file" }; a',
      "app/a.so",
      { "app/a.so": "secret" },
    ],
  };
  for (const [what, [main, refused, files = {}]] of Object.entries(cases)) {
    test(what, async () => {
      const folder = project({ ...app, ...files });
      await Bun.write(join(folder, "app/main.ts"), main.replaceAll("FOLDER", folder));
      expect(granted(folder, "app/main.ts")).toMatch(
        new RegExp(
          `^Cannot grant "${folder}/${RegExp.escape(refused)}", which ".*" names: it (lies|is not).*; if it may be read, add it to the files of modules$`,
        ),
      );
      // The message suggests this; it names a package by its file.
      expect(granted(folder, "app/main.ts", refused)).toContain(refused);
    });
  }

  test("what an imported module imports, named with that module", () => {
    const files = { "app/a.ts": 'import "./b.ts"', "app/b.ts": 'require("../home/a.json")' };
    const folder = project({ ...app, ...files });
    expect(granted(folder, "app/a.ts")).toContain(`which "${folder}/app/b.ts" names`);
  });
});

describe("the project of a script is", () => {
  const code = { "app/src/main.ts": 'import "../lib/a.ts"', "app/lib/a.ts": "" };
  const both = ["app/src/main.ts", "app/lib/a.ts"];

  test("the folder of the nearest package.json", () => {
    for (const manifest of ['{ "name": "app" }', "{}", '{ "type": "module", "main": "a.ts" }']) {
      const folder = project({ ...code, "app/package.json": manifest });
      expect(granted(folder, "app/src/main.ts")).toEqual(expect.arrayContaining(both));
    }
  });

  test("its own folder where there is none, and not that of the home or of the whole machine", () => {
    const folder = project({ ...code, "other.ts": "" });
    expect(granted(folder, "app/src/main.ts")).toContain('app/lib/a.ts", which');
    expect(granted(folder, "other.ts")).toEqual(["other.ts", "."]);
    const inner = project({
      "package.json": '{ "name": "home" }',
      "a/main.ts": 'import "../b.ts"',
      "b.ts": "",
    });
    expect(granted(inner, "a/main.ts")).toContain("b.ts");
  });

  test("found past a package.json that only says how scripts are read", () => {
    const marker = '{ "type": "module", "sideEffects": false }';
    const marked = { ...code, "app/src/package.json": marker };
    const folder = project({ ...marked, "app/package.json": '{ "name": "app" }' });
    expect(granted(folder, "app/src/main.ts")).toEqual(expect.arrayContaining(both));
    expect(granted(project(marked), "app/src/main.ts")).toContain("it lies outside the project");
  });

  for (const [what, workspace, found] of [
    ["the workspace that names it", { "package.json": '{ "workspaces": ["./app/"] }' }, true],
    [
      "a workspace by a pattern",
      { "package.json": '{ "workspaces": { "packages": ["a*"] } }' },
      true,
    ],
    ["a workspace of pnpm", { "pnpm-workspace.yaml": "packages: [app]" }, true],
    ["not a workspace of others", { "package.json": '{ "workspaces": ["b*"] }' }, false],
    [
      "not a workspace that leaves it out",
      { "package.json": '{ "workspaces": ["*", "!app"] }' },
      false,
    ],
    ["not a folder that is no workspace", { "package.json": '{ "name": "above" }' }, false],
  ] as const) {
    test(what, () => {
      const files: Files = {
        "app/package.json": '{ "name": "app" }',
        "app/main.ts": 'import "hoisted"; import "../b/b.ts"',
        "b/b.ts": "",
        "node_modules/hoisted/index.js": "",
        ...workspace,
      };
      const seen = granted(project(files), "app/main.ts");
      if (found) {
        expect(seen).toEqual(expect.arrayContaining(["b/b.ts", "node_modules/hoisted/index.js"]));
      } else expect(seen).toContain("it lies outside the project");
    });
  }

  test("that of the folder with node_modules, for a package's program", () => {
    const files = {
      "app/package.json": '{ "name": "app" }',
      "app/node_modules/tool/package.json": '{ "name": "tool" }',
      "app/node_modules/tool/cli.js": 'require("needed")',
      "app/node_modules/needed/index.js": "",
    };
    const folder = project(files);
    expect(granted(folder, "app/node_modules/tool/cli.js")).toContain(
      "app/node_modules/needed/index.js",
    );
    const global = project({
      "node_modules/tool/cli.js": 'require("../../secret.json")',
      "secret.json": "{}",
    });
    expect(granted(global, "node_modules/tool/cli.js")).toContain("it lies outside the project");
  });

  test("the project of each entry, and hidden directories where an entry is in one", () => {
    const files = {
      "a/package.json": '{ "name": "a" }',
      "a/.out/main.js": 'import "../../b/index.js"; import "./chunk.js"',
      "a/.out/chunk.js": "",
      "b/package.json": '{ "name": "b" }',
      "b/index.js": 'import "./inner.js"',
      "b/inner.js": "",
    };
    const folder = project(files);
    expect(granted(folder, "a/.out/main.js", "b/index.js")).toEqual(
      expect.arrayContaining(["a/.out/main.js", "a/.out/chunk.js", "b/index.js", "b/inner.js"]),
    );
  });

  test("not a folder whose package.json is a link, or whose name begins like its own", () => {
    const linked = project({ ...code, "app/package.json": { link: "../a.json" }, "a.json": "{}" });
    expect(granted(linked, "app/src/main.ts")).toContain('app/lib/a.ts", which');
    const folder = project({
      "app/package.json": '{ "name": "app" }',
      "app/main.ts": 'import "../app-of-others/a.ts"',
      "app-of-others/a.ts": "",
    });
    expect(granted(folder, "app/main.ts")).toContain("it lies outside the project");
  });

  test("without the settings above it, and without folders that its links lead to", () => {
    const folder = project({
      "tsconfig.json": "{}",
      "package.json": "{}",
      "app/package.json": '{ "name": "app" }',
      "app/main.ts": 'import "./lib/b.ts"',
      "app/b.ts": "",
      "app/lib": { link: "../home" },
      "home/b.ts": { link: "../app/b.ts" },
    });
    const expected = ["app/main.ts", "app/package.json", "app/b.ts", "app"];
    expect((granted(folder, "app/main.ts") as string[]).toSorted()).toEqual(expected.toSorted());
  });

  test("not what somebody else says who can write to a folder above", () => {
    const folder = project({ ...code, "package.json": '{ "name": "planted" }' });
    const seen = () => granted(folder, "app/src/main.ts");
    expect(seen()).toContain("app/lib/a.ts");
    if (process.getuid?.() !== 0) return;
    chownSync(join(folder, "package.json"), 12345, 12345);
    expect(seen()).toContain("it lies outside the project");
  });
});

test("a package.json of the home, or of what HOME links to, makes no project of all in it", async () => {
  const folder = project({
    "home/package.json": '{ "name": "home" }',
    "home/scratch/main.ts": 'require("../other/token.json")',
    "home/other/token.json": "{}",
    link: { link: "home" },
  });
  for (const home of ["home", "link"]) {
    const message = await inSubprocess(
      { folder },
      ({ presets, thrown }, { folder }) =>
        thrown(() => presets.modules(`${folder}/home/scratch/main.ts`))?.["message"],
      { env: { HOME: join(folder, home) } },
    );
    expect(message as string).toContain("it lies outside the project");
  }
});

test("a JSX runtime that Bun might choose, but lies outside the project, is left out", () => {
  const folder = project({
    "app/package.json": '{ "name": "app" }',
    "app/main.tsx": "/** @jsxImportSource elements */ console.log(<b />)",
    "app/node_modules/elements/jsx-dev-runtime.js": "",
    "node_modules/react/jsx-runtime.js": "",
  });
  const paths = granted(folder, "app/main.tsx");
  expect(paths).toContain("app/node_modules/elements/jsx-dev-runtime.js");
  expect(paths).not.toContain("node_modules/react/jsx-runtime.js");
});

test("modules() grants native libraries of any CPU that a package brings along", () => {
  const folder = project({
    "package.json": '{ "name": "app" }',
    "main.ts": 'import a from "./a.so" with { type: "file" }; a; require("./b.node")',
  });
  for (const name of ["a.so", "b.node"]) cpSync(nativePath(), join(folder, name));
  expect(granted(folder, "main.ts")).toEqual(expect.arrayContaining(["a.so", "b.node"]));
});

test("the preset by name takes several files, and one whose name has a comma", () => {
  const folder = project({ "a.ts": "", "b.txt": "", "c,d.ts": "" });
  const paths = (spec: string) => {
    const { rules } = presetOf(spec, folder) as ReturnType<typeof modules>;
    return (rules as FsRule[])[0]!.paths;
  };
  expect(paths("modules=a.ts,b.txt")).toEqual([`${folder}/a.ts`, `${folder}/b.txt`]);
  expect(paths("modules=c,d.ts")).toEqual([`${folder}/c,d.ts`]);
  expect(() => paths("modules=a.ts,none.ts")).toThrow("none.ts");
});

describe("an entry in node_modules runs from anywhere, and finds the packages that it imports", () => {
  const b = {
    "app/node_modules/b/package.json": '{ "name": "b", "main": "x.js" }',
    "app/node_modules/b/x.js": 'console.log("b")',
  };
  const a = (text: string, manifest = "{}"): Files => ({
    "app/node_modules/a/package.json": manifest,
    "app/node_modules/a/i.js": text,
  });
  const store = "app/node_modules/.bun";
  const cases: Record<string, [entry: string, files: Files]> = {
    "by import": ["app/node_modules/a/i.js", { ...b, ...a('import "b"') }],
    "by require()": ["app/node_modules/a/i.js", { ...b, ...a('require("b")') }],
    "by a link in .bin": [
      "app/node_modules/.bin/a",
      { ...b, ...a('import "b"'), "app/node_modules/.bin/a": { link: "../a/i.js" } },
    ],
    "by the imports of its package.json": [
      "app/node_modules/a/i.js",
      { ...b, ...a('import "#b"', '{ "imports": { "#b": "b" } }') },
    ],
    "from a package in a package": [
      "app/node_modules/a/node_modules/c/i.js",
      { ...b, ...a(""), "app/node_modules/a/node_modules/c/i.js": 'import "b"' },
    ],
    "in a store": [
      "app/node_modules/a/i.js",
      {
        "app/node_modules/a": { link: ".bun/a@1/node_modules/a" },
        [`${store}/a@1/node_modules/a/i.js`]: 'import "b"',
        [`${store}/a@1/node_modules/b`]: { link: "../../b@2/node_modules/b" },
        [`${store}/b@2/node_modules/b/index.js`]: 'console.log("b")',
      },
    ],
  };
  for (const [name, [entry, files]] of Object.entries(cases)) {
    testFromAbi(1, name, async () => {
      const folder = project({ ...files, "app/package.json": "{}", "elsewhere/x": "", secret: "" });
      const main = join(folder, entry);
      const elsewhere = join(folder, "elsewhere");
      const rules = [
        ...[executable(process.execPath), bun({ children: true })],
        ...[pathAccess(["read_dir"], elsewhere), modules(main)],
      ];
      const command = [process.execPath, main];
      expect(await run(rules, command, { cwd: elsewhere })).toEqual({
        ...{ status: 0, stdout: "b\n", stderr: "" },
      });
      expect(granted(folder, entry)).not.toContain(".");
      const list = [process.execPath, "-e", 'require("node:fs").readdirSync("..")'];
      expect((await run(rules, list, { cwd: elsewhere })).stderr).toContain("EACCES");
    });
  }

  test("of the project only what holds node_modules is listed for it, and no file is read", () => {
    const folder = project({ ...b, ...a('import "b"'), "app/package.json": "{}", "app/.env": "" });
    expect(granted(folder, "app/node_modules/a/i.js")).toEqual([
      ...["a/i.js", "a/package.json", "b/package.json", "b/x.js"].map(
        (name) => `app/node_modules/${name}`,
      ),
      ...["app/node_modules/a", "app", "app/node_modules", "app/node_modules/b"],
    ]);
    const alone = project({ ...a('import "./i.js"'), "app/package.json": "{}" });
    expect(granted(alone, "app/node_modules/a/i.js")).not.toContain("app");
  });
});
