/** `presets.modules()`: a project with every kind of import starts inside; late imports work. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { LandlockError, presets, type FsRule } from "../../src/index.ts";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";
import { project } from "./project.ts";
import { run } from "./programs.ts";

const { bun, cwd, executable, modules } = presets;

const store = "app/node_modules/.bun";
/** Laid out by package managers: a store with links, a hoisted package, a workspace. */
const everything = {
  "package.json": '{ "workspaces": ["./app/", "packages/*"] }',
  "app/package.json": '{ "name": "app", "imports": { "#own": "./src/own.ts" } }',
  "app/tsconfig.json": '{ /* comment */ "extends": "./base.json" }',
  "app/base.json": '{ "compilerOptions": { "paths": { "@lib/*": ["./lib/*"] } } }',
  "app/src/main.tsx": `/** @jsxImportSource elements */
    import esm from "store";
    import alias from "@lib/alias";
    import own from "#own";
    import hoisted from "hoisted";
    import scoped from "@scope/name/deep";
    import workspace from "workspace";
    import linked from "./linked";
    import folder from "./folder";
    import json from "./data.json";
    import text from "./text.txt" with { type: "text" };
    import { readFileSync } from "node:fs";
    import { Unused } from "./types-only";
    import type { Other } from "not-installed-types";
    const cjs = require("store");
    const late = await import("./late");
    let optional = "none";
    try { optional = require("not-installed"); } catch {}
    const found = [esm, alias, own, hoisted, scoped, workspace, linked, folder, json.a, text, cjs];
    console.log([...found, late.default, optional, <b />, typeof readFileSync].join(" "));`,
  "app/src/own.ts": 'export default "own"',
  "app/src/late.ts": 'export default "late"',
  "app/src/linked.ts": { link: "../../elsewhere/target.ts" },
  "app/src/folder/index.ts": 'export default "folder"',
  "app/src/data.json": '{ "a": 1 }',
  "app/src/text.txt": "text",
  "app/lib/alias.ts": 'export default "alias"',
  "app/secret.ts": 'export default "secret"',
  "elsewhere/target.ts": 'export default "linked"',
  "app/node_modules/store": { link: ".bun/store@1/node_modules/store" },
  [`${store}/store@1/node_modules/store/package.json`]:
    '{ "exports": { ".": { "import": "./esm/a.mjs", "require": "./cjs/a.cjs" } } }',
  [`${store}/store@1/node_modules/store/esm/a.mjs`]:
    'import inner from "inner"; export default "esm+" + inner;',
  [`${store}/store@1/node_modules/store/cjs/a.cjs`]: 'module.exports = "cjs"',
  [`${store}/store@1/node_modules/inner`]: { link: "../../inner@2/node_modules/inner" },
  [`${store}/inner@2/node_modules/inner/package.json`]: '{ "main": "index.js" }',
  [`${store}/inner@2/node_modules/inner/index.js`]: 'module.exports = "inner"',
  "node_modules/hoisted/index.js": 'module.exports = "hoisted"',
  "node_modules/@scope/name/deep.js": 'module.exports = "scoped"',
  "app/node_modules/workspace": { link: "../../packages/workspace" },
  "packages/workspace/package.json": '{ "main": "main.ts" }',
  "packages/workspace/main.ts": 'import "./side.ts"; export default "workspace";',
  "packages/workspace/side.ts": "",
  "node_modules/elements/jsx-runtime.js": 'exports.jsx = () => "jsx"',
  "node_modules/elements/jsx-dev-runtime.js": 'exports.jsxDEV = () => "jsx"',
};
const answer =
  "esm+inner alias own hoisted scoped workspace linked folder 1 text cjs late none jsx function\n";

const runtime = [executable(process.execPath), bun({ children: true })];

testFromAbi(
  1,
  "a script with every kind of import runs with modules(), and not without",
  async () => {
    const folder = project(everything);
    const command = [process.execPath, "main.tsx"];
    const there = { cwd: join(folder, "app/src") };
    const rule = modules(...["main.tsx", "text.txt"].map((name) => join(folder, "app/src", name)));
    expect(await run([...runtime, rule], command, there)).toEqual({
      ...{ status: 0, stdout: answer, stderr: "" },
    });
    const [files] = rule.rules as FsRule[];
    expect(files!.paths.filter((path) => path.includes("secret"))).toEqual([]);
    const nothing = await run([...runtime, modules(join(folder, "app/secret.ts"))], command, there);
    expect(nothing.status).toBe(1);
    expect(nothing.stderr).toContain("EACCES");
  },
);

/** Copies the project once more for each granted file, to leave that file out of the grant. */
testFromAbi(
  1,
  "modules() grants no module that the script could do without",
  async () => {
    const folder = project(everything);
    const command = [process.execPath, "main.tsx"];
    const there = { cwd: join(folder, "app/src") };
    const rule = modules(...["main.tsx", "text.txt"].map((name) => join(folder, "app/src", name)));
    const [{ identities: _, ...files }, folders] = rule.rules as [FsRule, FsRule];
    const { FsRule: Made } = await import("../../src/index.ts");
    const spare: string[] = [];
    for (const path of files.paths) {
      const others = new Made({ ...files, paths: files.paths.filter((other) => other !== path) });
      const { stdout } = await run([...runtime, others, folders], command, there);
      if (stdout === answer) spare.push(path.slice(folder.length + 1));
    }
    // Three files are spare. inner's main file has the default name, and NODE_ENV picks the other
    // JSX runtime. The workspace's manifest sets nothing for packages without one.
    expect(spare.sort()).toEqual([
      `${store}/inner@2/node_modules/inner/package.json`,
      "node_modules/elements/jsx-runtime.js",
      "package.json",
    ]);
  },
  60_000,
);

testFromAbi(1, "this library's own command line runs with modules()", async () => {
  const root = join(import.meta.dir, "../..");
  const cli = join(root, "src/cli.ts");
  const command = [process.execPath, cli, "status", "--json"];
  const there = { cwd: tempDir() };
  process.chdir(there.cwd);
  const here = cwd();
  process.chdir(root);
  const seen = await run([...runtime, here, modules(cli)], command, there);
  expect(seen).toMatchObject({ status: 0, stderr: "" });
  expect(JSON.parse(seen.stdout)).toMatchObject({ state: "enabled" });
  expect(await run([...runtime, here], command, there)).toMatchObject({ status: 1, stdout: "" });
});

/** Late work of a process that restricts itself: an import, a Worker, a database, an image. */
async function late(granted: boolean) {
  const folder = project({
    "main.ts": 'export const later = () => import("./later.ts");',
    "later.ts": 'import { a } from "./deep.ts"; export const b = a + 1;',
    "deep.ts": "export const a = 1;",
    "worker.ts": 'import { a } from "./deep.ts"; postMessage(a + 2);',
  });
  return inSubprocess({ granted, folder }, async (inside, { granted, folder }) => {
    const { landlock, outcomeOf, presets } = inside;
    const { later } = await import(`${folder}/main.ts`);
    const entries = ["main.ts", "worker.ts"].map((name) => `${folder}/${name}`);
    const rules = granted ? [presets.bun(), presets.modules(...entries)] : [presets.bun()];
    landlock.V11.bestEffort().restrictPaths(...rules);
    const answer = (worker: Worker) =>
      new Promise<unknown>((done) => {
        worker.onmessage = ({ data }) => done(data);
        worker.onerror = () => done("failed");
      });
    return {
      literal: await later().then(
        ({ b }: { b: number }) => b,
        (error: Error) => error.message.replaceAll(folder, ""),
      ),
      worker: await answer(new Worker(`${folder}/worker.ts`)),
      other: await outcomeOf(() => Bun.file(`${folder}/main.ts`).text()),
    };
  });
}

testFromAbi(1, "late import() and Workers work with modules()", async () => {
  expect(await late(true)).toEqual({ literal: 2, worker: 3, other: "ok" });
});

testFromAbi(1, "late import() and Workers fail without modules()", async () => {
  expect(await late(false)).toEqual({
    literal: 'EACCES reading "/later.ts"',
    worker: "failed",
    other: "EACCES",
  });
});

testFromAbi(1, 'imports of "." and ".." work with modules()', async () => {
  const folder = project({
    "package.json": "{}",
    "index.js": 'exports.above = "above";',
    "a/index.js": 'exports.same = "same";',
    "a/main.js": 'console.log(require(".").same, require("..").above);',
  });
  const main = join(folder, "a/main.js");
  const rules = [executable(process.execPath), bun({ children: true }), modules(main)];
  expect(await run(rules, [process.execPath, main], { cwd: join(folder, "a") })).toEqual({
    ...{ status: 0, stdout: "same above\n", stderr: "" },
  });
});

describe("modules() says what is wrong", () => {
  function failure(...entries: string[]): LandlockError {
    try {
      modules(...entries);
    } catch (error) {
      if (error instanceof LandlockError) return error;
      throw error;
    }
    throw new Error("it does not fail");
  }

  test("an entry that is not there, or is a folder", () => {
    expect(failure("/no/such.ts")).toMatchObject({
      code: "ERR_LANDLOCK_PATH",
      message: 'Cannot find the script "/no/such.ts": it is not a regular file; correct the path',
    });
    expect(failure(tempDir())).toMatchObject({ code: "ERR_LANDLOCK_PATH" });
    expect(failure("")).toMatchObject({ code: "ERR_LANDLOCK_INVALID_RULE" });
  });

  test("an entry that is a circle of links, or cannot be read", () => {
    const loop = join(project({ loop: { link: "loop" } }), "loop");
    expect(failure(loop).message).toBe(
      `Cannot find the script "${loop}": it is not a regular file; correct the path`,
    );
    // Its first page is never mapped.
    const unreadable = `/proc/${process.pid}/mem`;
    expect(failure(unreadable).message).toBe(
      `Cannot read "${unreadable}" to see what it imports: EIO; name a script that can be read`,
    );
  });

  test("nothing, where what it looks for on the way is a circle of links", () => {
    const names = ["package.json", "tsconfig.json", "node_modules"];
    const loops = Object.fromEntries(names.map((link) => [link, { link }]));
    const folder = project({ "a.ts": 'try { require("a"); } catch {}', ...loops });
    const [files] = modules(`${folder}/a.ts`).rules as FsRule[];
    expect(files!.paths).toEqual([`${folder}/a.ts`]);
  });

  test("an import that leads nowhere, named with its file", () => {
    const folder = project({ "a.ts": 'import "./b.ts";', "b.ts": 'import "not-installed";' });
    expect(failure(`${folder}/a.ts`).message).toBe(
      `Cannot find "not-installed", which "${folder}/b.ts" imports: install it, or correct the import`,
    );
  });

  test("an entry that cannot be parsed", () => {
    const folder = project({ "a.ts": "import from from from" });
    expect(failure(`${folder}/a.ts`).message).toStartWith(
      `Cannot find the imports of "${folder}/a.ts": `,
    );
  });

  test("nothing, where modules import each other or what Bun has built in", () => {
    const builtin = ["fs", "node:path", "bun", "bun:sqlite", "bun:ffi", "data:text/javascript,1"];
    const imports = builtin.map((name) => `import "${name}";`).join("\n");
    const folder = project({ "a.ts": `import "./b.ts"; ${imports}`, "b.ts": 'import "./a.ts";' });
    const [files] = modules(`${folder}/a.ts`).rules as FsRule[];
    expect(files!.paths).toEqual([`${folder}/a.ts`, `${folder}/b.ts`]);
  });
});
