/** Entries of `modules()` in an untrusted checkout, whose names may be links. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { CompositeRule, FsRule } from "../../src/index.ts";
import { presetOf } from "../../src/presets/presets.ts";
import { granted, project, type Files } from "./project.ts";

describe("modules() refuses by name, as an entry that the user named", () => {
  const files: Files = {
    "app/main.ts": "",
    "app/.git/config": "token",
    "app/.git/config.json": "{}",
    "app/.env": "TOKEN=1",
    "app/secrets.txt": "token",
    "home/.ssh/id_rsa": "a private key",
    "home/token.ts": "a token",
    "home/package.json": '{ "name": "home" }',
  };
  const key = "home/.ssh/id_rsa";
  const token = "home/token.ts";
  /** Links in app/, as `worker.ts>TARGET`; an entry in app/; the entry's target. */
  const cases: [what: string, links: string, entry: string, leadsTo: string, why?: string][] = [
    ["a link to a key", "worker.ts>../home/.ssh/id_rsa", "worker.ts", key],
    ["a link to code elsewhere", "worker.ts>../home/token.ts", "worker.ts", token],
    ["a link to a link", "worker.ts>b.ts b.ts>../home/token.ts", "worker.ts", token],
    ["a link in a folder of a project", "src/a.ts>../../home/token.ts", "src/a.ts", token],
    ["a file in a folder that is a link", "src>../home", "src/token.ts", token],
    ["a key in a folder that is a link", "src>../home/.ssh", "src/id_rsa", key],
    ["a page that is a link to a key", "page.html>../home/.ssh/id_rsa", "page.html", key],
    [
      "a program of .bin",
      "node_modules/.bin/a>../../../home/.ssh/id_rsa",
      "node_modules/.bin/a",
      key,
    ],
    ["a package that is a link", "node_modules/a>../../home", "node_modules/a/token.ts", token],
    [
      "a link into a hidden folder",
      "a.ts>.git/config.json",
      "a.ts",
      "app/.git/config.json",
      "hidden",
    ],
    ["a folder that is hidden", "src>.git", "src/config", "app/.git/config", "hidden"],
    ["a link to a hidden file", "worker.ts>.env", "worker.ts", "app/.env", "hidden"],
    ["a link to text", "worker.ts>secrets.txt", "worker.ts", "app/secrets.txt", "not code"],
  ];
  for (const [what, links, name, leadsTo, reason] of cases) {
    test(what, () => {
      const more = links.split(" ").map((one) => one.split(">") as [string, string]);
      const folder = project({
        ...files,
        // With a package.json, the project extends beyond the script's own folder.
        ...(name === "src/a.ts" ? { "app/package.json": "{}" } : {}),
        ...Object.fromEntries(more.map(([path, link]) => [`app/${path}`, { link }])),
      });
      const entry = `app/${name}`;
      const why = reason === undefined ? "that lies outside the project" : `that is ${reason}`;
      const message = granted(folder, "app/main.ts", entry) as string;
      expect(message).toStartWith(`Cannot grant "${folder}/${entry}": "${folder}/app/`);
      expect(message).toEndWith(
        `and ${why}; if it may be read, name "${folder}/${leadsTo}" instead`,
      );
      expect(() => presetOf(`modules=main.ts,${name}`, join(folder, "app"))).toThrow(why);
      // The message suggests this.
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
