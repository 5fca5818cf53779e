/** Entries of `modules()` in a stranger's checkout, where names may be links. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { CompositeRule, FsRule } from "../../src/index.ts";
import { presetOf } from "../../src/presets/presets.ts";
import { granted, project, type Files } from "./project.ts";

describe("modules() refuses by name, as an entry that the user named", () => {
  const files: Files = {
    "app/main.ts": "",
    "home/.ssh/id_rsa": "a private key",
    "home/token.ts": "a token",
    "home/package.json": '{ "name": "home" }',
  };
  const cases: Record<string, [entry: string, leadsTo: string, why: string, files: Files]> = {
    "a link to a key": [
      "app/worker.ts",
      "home/.ssh/id_rsa",
      "that lies outside the project",
      { "app/worker.ts": { link: "../home/.ssh/id_rsa" } },
    ],
    "a link to code elsewhere": [
      "app/worker.ts",
      "home/token.ts",
      "that lies outside the project",
      { "app/worker.ts": { link: "../home/token.ts" } },
    ],
    "a link to a link": [
      "app/worker.ts",
      "home/token.ts",
      "that lies outside the project",
      { "app/worker.ts": { link: "b.ts" }, "app/b.ts": { link: "../home/token.ts" } },
    ],
    "a link of a project with a package.json": [
      "app/src/worker.ts",
      "home/token.ts",
      "that lies outside the project",
      { "app/package.json": "{}", "app/src/worker.ts": { link: "../../home/token.ts" } },
    ],
    "a file in a folder that is a link": [
      "app/src/token.ts",
      "home/token.ts",
      "that lies outside the project",
      { "app/src": { link: "../home" } },
    ],
    "a key in a folder that is a link": [
      "app/src/id_rsa",
      "home/.ssh/id_rsa",
      "that lies outside the project",
      { "app/src": { link: "../home/.ssh" } },
    ],
    "a page that is a link to a key": [
      "app/page.html",
      "home/.ssh/id_rsa",
      "that lies outside the project",
      { "app/page.html": { link: "../home/.ssh/id_rsa" } },
    ],
    "a program of node_modules that is a link to a key": [
      "app/node_modules/.bin/tool",
      "home/.ssh/id_rsa",
      "that lies outside the project",
      { "app/node_modules/.bin/tool": { link: "../../../home/.ssh/id_rsa" } },
    ],
    "a package that is a link": [
      "app/node_modules/linked/token.ts",
      "home/token.ts",
      "that lies outside the project",
      { "app/node_modules/linked": { link: "../../home" } },
    ],
    "a link into a hidden directory": [
      "app/worker.ts",
      "app/.git/config.json",
      "that is hidden",
      { "app/worker.ts": { link: ".git/config.json" }, "app/.git/config.json": "{}" },
    ],
    "a file in a folder that is a link to a hidden one": [
      "app/src/config",
      "app/.git/config",
      "that is hidden",
      { "app/src": { link: ".git" }, "app/.git/config": "token" },
    ],
    "a link to a hidden file": [
      "app/worker.ts",
      "app/.env",
      "that is hidden",
      { "app/worker.ts": { link: ".env" }, "app/.env": "TOKEN=1" },
    ],
    "a link to text": [
      "app/worker.ts",
      "app/secrets.txt",
      "that is not code",
      { "app/worker.ts": { link: "secrets.txt" }, "app/secrets.txt": "token" },
    ],
  };
  for (const [what, [entry, leadsTo, why, more]] of Object.entries(cases)) {
    test(what, () => {
      const folder = project({ ...files, ...more });
      const message = granted(folder, "app/main.ts", entry) as string;
      expect(message).toStartWith(`Cannot grant "${folder}/${entry}": "${folder}/app/`);
      expect(message).toEndWith(
        `and ${why}; if it may be read, name "${folder}/${leadsTo}" instead`,
      );
      expect(() => presetOf(`modules=main.ts,${entry.slice(4)}`, join(folder, "app"))).toThrow(why);
      // As the message says.
      expect(granted(folder, leadsTo)).toContain(leadsTo);
    });
  }

  test("but not a link that leads to code of its own project", () => {
    const folder = project({
      "app/package.json": '{ "name": "app" }',
      "app/main.ts": { link: "src/main.ts" },
      "app/src/main.ts": "",
      "app/lib": { link: "src" },
      "app/.build/main.ts": { link: "out.ts" },
      "app/.build/out.ts": "",
      "app/node_modules/.bin/tool": { link: "../tool/bin/tool" },
      "app/node_modules/tool": { link: ".bun/tool@1/node_modules/tool" },
      "app/node_modules/.bun/tool@1/node_modules/tool/bin/tool": "#!/usr/bin/env node\n",
      "link-to-app": { link: "app" },
    });
    const tool = "app/node_modules/.bun/tool@1/node_modules/tool/bin/tool";
    for (const [entry, file] of [
      ["app/main.ts", "app/src/main.ts"],
      ["app/lib/main.ts", "app/src/main.ts"],
      ["app/.build/main.ts", "app/.build/out.ts"],
      ["app/node_modules/.bin/tool", tool],
      ["link-to-app/main.ts", "app/src/main.ts"],
    ] as const) {
      expect(granted(folder, entry)).toContain(file);
    }
  });
});

test("the folder that entries are relative to may itself be reached by a link", () => {
  const folder = project({
    "data/app/main.ts": "",
    "data/app/worker.ts": { link: "../key" },
    "data/key": "a private key",
    "home/app": { link: "../data/app" },
  });
  const { rules } = presetOf("modules=main.ts", join(folder, "home/app")) as CompositeRule;
  expect((rules as FsRule[])[0]!.paths).toEqual([join(folder, "data/app/main.ts")]);
  expect(() => presetOf("modules=worker.ts", join(folder, "home/app"))).toThrow("lies outside");
  expect(granted(folder, "home/app/main.ts")).toEndWith(
    `name "${folder}/data/app/main.ts" instead`,
  );
});

describe("modules() of a package grants what importing it takes", () => {
  const packed: Files = {
    "app/package.json": "{}",
    "app/.env": "",
    "app/node_modules/p/package.json":
      '{ "exports": { ".": { "import": "./i.js", "require": "./r.cjs" }, "./sub": "./d/s.js" } }',
    "app/node_modules/p/i.js": 'import "q"',
    "app/node_modules/p/r.cjs": "",
    "app/node_modules/p/d/s.js": "",
    "app/node_modules/p/unused.js": "",
    "app/node_modules/q/package.json": "{}",
    "app/node_modules/q/index.js": "",
    "app/node_modules/@s/t/package.json": '{ "main": "../../../../secret.js" }',
    "app/node_modules/@s/u/package.json": "{}",
    "app/node_modules/@s/u/index.js": "",
    "app/node_modules/away": { link: "../../elsewhere" },
    "elsewhere/package.json": "{}",
    "elsewhere/index.js": "",
    "secret.js": "",
  };
  const folders = ["app", "app/node_modules", "app/node_modules/p"];
  const inP = (...names: string[]) => names.map((name) => `app/node_modules/p/${name}`);
  const q = ["package.json", "index.js"].map((name) => `app/node_modules/q/${name}`);
  const cases: Record<string, [entry: string, expected: string[] | RegExp]> = {
    "by import and by require()": [
      "app/node_modules/p",
      [...inP("package.json", "i.js", "r.cjs"), ...q],
    ],
    "with a slash at its end": [
      "app/node_modules/p/",
      [...inP("package.json", "i.js", "r.cjs"), ...q],
    ],
    "by a subpath": ["app/node_modules/p/sub", inP("package.json", "d/s.js")],
    "with a scope": [
      "app/node_modules/@s/u",
      ["app/node_modules/@s/u/package.json", "app/node_modules/@s/u/index.js"],
    ],
    "unless it has no such subpath": [
      "app/node_modules/p/none",
      /p\/none": it is not a regular file/,
    ],
    "unless it leads out of the project": [
      "app/node_modules/@s/t",
      /secret\.js", which .* outside/,
    ],
    "unless it is a link out of the project": ["app/node_modules/away", /away" is a link to/],
  };
  for (const [name, [entry, expected]] of Object.entries(cases)) {
    test(name, () => {
      const all = granted(project(packed), entry);
      if (expected instanceof RegExp) return expect(all).toMatch(expected);
      const files = (all as string[]).filter((path) => /\.(c?js|json)$/.test(path));
      expect(new Set(files)).toEqual(new Set([...expected]));
      if (entry === "app/node_modules/p") expect(all).toEqual(expect.arrayContaining(folders));
    });
  }
});
