/** A rule grants exactly the file that the preset examined: a replaced file is an error. */
import { describe, expect, test } from "bun:test";
import {
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { CompositeRule, landlock, LandlockError, presets, type Rule } from "../../src/index.ts";
import { inSubprocess, patience, testFromAbi } from "../harness.ts";
import { writeElf } from "./elf-file.ts";
import { project } from "./project.ts";

const { executable, modules } = presets;

/** A program with a library, a script with an import, and an unrelated file. */
function scene() {
  const folder = project({
    "app/package.json": '{ "name": "app" }',
    "app/main.ts": 'import "./sub/b.ts"',
    "app/sub/b.ts": "",
    secret: "secret",
    "elsewhere/b.ts": "secret",
  });
  for (const name of ["bin", "lib"]) mkdirSync(join(folder, name));
  const loader = writeElf(join(folder, "lib/loader"), {});
  const library = writeElf(join(folder, "lib/liba.so"), {});
  const tool = writeElf(join(folder, "bin/tool"), { interpreter: loader, needed: [library] });
  writeFileSync(join(folder, "bin/script"), `#!${tool}\n`, { mode: 0o755 });
  const path = (name: string) => join(folder, name);
  return { folder, path, tool, library, loader };
}

/** Builds a ruleset, which opens the paths, and returns the outcome. */
function built(rule: Rule): string {
  try {
    using _ = landlock.V1.ruleset(rule);
    return "built";
  } catch (error) {
    if (!(error instanceof LandlockError)) throw error;
    return error.message;
  }
}

const refusal = (path: string) =>
  `beneath "${path}": the file was replaced after its preset inspected it; call the preset again`;

type Scene = ReturnType<typeof scene>;
const cases: [name: string, preset: (scene: Scene) => Rule, path: string][] = [
  ["executable(), the program", ({ tool }) => executable(tool), "bin/tool"],
  ["executable(), its loader", ({ tool }) => executable(tool), "lib/loader"],
  ["executable(), its library", ({ tool }) => executable(tool), "lib/liba.so"],
  ["executable(), a script", ({ path }) => executable(path("bin/script")), "bin/script"],
  ["executable(), its interpreter", ({ path }) => executable(path("bin/script")), "bin/tool"],
  ["modules(), the script", ({ path }) => modules(path("app/main.ts")), "app/main.ts"],
  ["modules(), what it imports", ({ path }) => modules(path("app/main.ts")), "app/sub/b.ts"],
  ["modules(), its package.json", ({ path }) => modules(path("app/main.ts")), "app/package.json"],
  ["modules(), a folder", ({ path }) => modules(path("app/main.ts")), "app/sub"],
];

describe("another file is not granted in place of one that a preset looked at:", () => {
  const swaps: [name: string, swap: (path: string, secret: string) => void][] = [
    ["a link", (path, secret) => symlinkSync(secret, path)],
    ["a new file", (path) => writeFileSync(path, "new")],
    ["a file that was elsewhere", (path, secret) => renameSync(secret, path)],
  ];
  for (const [name, preset, file] of cases) {
    for (const [how, swap] of swaps) {
      testFromAbi(1, `${name}: ${how}`, async () => {
        const one = scene();
        const rule = preset(one);
        expect(built(rule)).toBe("built");
        // The inode number is reused at once, and birth times advance by clock ticks.
        await Bun.sleep(20);
        rmSync(one.path(file), { recursive: true });
        swap(one.path(file), one.path("secret"));
        expect(built(rule)).toContain(refusal(one.path(file)));
        // Nor if the rule was sent as JSON.
        const copy = JSON.parse(JSON.stringify(rule)) as Rule;
        expect(built(copy)).toContain(refusal(one.path(file)));
      });
    }
  }

  testFromAbi(1, "a directory on the way to it that became a link", async () => {
    const { path } = scene();
    const rule = modules(path("app/main.ts"));
    renameSync(path("app/sub"), path("app/old"));
    symlinkSync(path("elsewhere"), path("app/sub"));
    expect(built(rule)).toMatch(/app\/sub(\/b\.ts)?": the file was replaced/);
  });

  testFromAbi(1, "and nothing is refused if the same file was written to", async () => {
    const { path, tool } = scene();
    const rules = new CompositeRule([executable(tool), modules(path("app/main.ts"))]);
    writeFileSync(path("app/sub/b.ts"), "changed");
    writeFileSync(tool, "changed");
    linkSync(path("app/main.ts"), path("another-name"));
    expect(built(rules)).toBe("built");
  });
});

test("a rule that has an identity is plain data, prints it, and wants one for each path", () => {
  const { tool } = scene();
  const [run] = executable(tool).rules;
  if (run?.kind !== "fs") throw new Error("no rule");
  expect(run.identities).toHaveLength(run.paths.length);
  expect(Object.isFrozen(run.identities)).toBe(true);
  expect(Bun.inspect(run)).toContain(run.identities![0]!);
  expect(run.quiet().identities).toEqual(run.identities!);
  const { rules } = landlock.V1.bestEffort({ allowNone: true }).plan(run);
  for (const rule of rules) expect("path" in rule && rule.identity).toBeTruthy();
  const wrong = { ...run, paths: [...run.paths, "/"] };
  expect(() => landlock.V1.plan(wrong)).toThrow("identities must have one entry for each path");
});

/** Swaps a file for a link and back while a policy is built; the secret is never granted. */
testFromAbi(
  1,
  "while a file is swapped again and again, the secret is granted never",
  async () => {
    const { path, library, tool } = scene();
    const loop = `const fs = require("node:fs");
      const [file, secret] = process.argv.slice(1);
      fs.linkSync(file, file + ".real");
      for (;;) {
        fs.symlinkSync(secret, file + ".link"); fs.renameSync(file + ".link", file);
        fs.linkSync(file + ".real", file + ".new"); fs.renameSync(file + ".new", file);
      }`;
    const swapped = [library, path("app/sub/b.ts")];
    const children = swapped.map((file) =>
      Bun.spawn([process.execPath, "-e", loop, file, path("secret")], {
        ...{ timeout: patience(20_000), killSignal: "SIGKILL" as const },
      }),
    );
    const secret = path("secret");
    const seen = await inSubprocess(
      { tool, script: path("app/main.ts"), secret },
      async ({ landlock, presets }, { tool, script, secret }) => {
        const outcomes: Record<string, number> = {};
        for (let i = 0; i < 400; i++) {
          let outcome = "built";
          try {
            const rule = i % 2 ? presets.executable(tool) : presets.modules(script);
            using ruleset = landlock.V1.ruleset(rule, presets.executable("cat"));
            const { stdout } = ruleset.spawnSync(["cat", secret], { stdin: "inherit" });
            if (`${stdout}` !== "") outcome = "escaped";
          } catch (error) {
            outcome = (error as { code?: string }).code ?? String(error);
          }
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        }
        return outcomes;
      },
      { timeoutMs: 60_000 },
    ).finally(() => children.forEach((child) => child.kill("SIGKILL")));
    await Promise.all(children.map(({ exited }) => exited));
    expect(seen["escaped"]).toBeUndefined();
  },
  90_000,
);

describe("a FIFO in place of a file that modules() reads does not make it wait:", () => {
  const fifos = ["app/package.json", "app/tsconfig.json", "app/sub/b.ts"];
  for (const name of fifos) {
    test(name, async () => {
      const { path } = scene();
      rmSync(path(name), { force: true });
      expect(Bun.spawnSync(["mkfifo", path(name)]).exitCode).toBe(0);
      const outcome = await inSubprocess(path("app/main.ts"), ({ presets }, script) => {
        try {
          return presets.modules(script).rules.length;
        } catch (error) {
          return (error as Error).message;
        }
      });
      const missing = `Cannot find "./sub/b.ts", which "${path("app/main.ts")}" imports`;
      if (name === "app/sub/b.ts") expect(outcome).toContain(missing);
      else expect(outcome).toBe(2);
    });
  }
});

describe("modules() names a file that cannot be read to its end:", () => {
  const notRegular = "which Bun reads to resolve imports: it is not a regular file; remove it";
  const cases: [
    name: string,
    imported: string,
    files: Record<string, string | { link: string }>,
    why: string,
  ][] = [
    [
      "tsconfig.json",
      "./b",
      { "tsconfig.json": '{ "extends": "./fifo" }' },
      `"fifo", ${notRegular}`,
    ],
    [
      "two/base.json",
      "./b",
      {
        "tsconfig.json": '{ "extends": ["./none", "./two/base"] }',
        "two/base.json": '{ "extends": "../fifo" }',
      },
      `"fifo", ${notRegular}`,
    ],
    [
      "an imported folder",
      "./b",
      { "b/package.json": { link: "../fifo" }, "b/index.ts": "" },
      `"b/package.json", ${notRegular}`,
    ],
    [
      "a package",
      "dep",
      { "node_modules/dep/package.json": { link: "../../fifo" }, "node_modules/dep/index.js": "" },
      `"node_modules/dep/package.json", ${notRegular}`,
    ],
    [
      "a folder of a package",
      "dep",
      {
        "node_modules/dep/package.json": '{ "main": "lib/x.js" }',
        "node_modules/dep/lib/package.json": { link: "../../../fifo" },
        "node_modules/dep/lib/x.js": "",
      },
      `"node_modules/dep/lib/package.json", ${notRegular}`,
    ],
    [
      "a folder that a pattern of a package leads to",
      "dep/z/x",
      {
        "node_modules/dep/package.json": '{ "exports": { "./*": "./lib/*.js" } }',
        "node_modules/dep/lib/z/package.json": { link: "../../../../fifo" },
        "node_modules/dep/lib/z/x.js": "",
      },
      `"node_modules/dep/lib/z/package.json", ${notRegular}`,
    ],
    [
      "a script",
      "./big",
      { "big.ts": "" },
      `"big.ts" to see what it imports: it is larger than 64 MiB; name a script that can be read`,
    ],
  ];
  for (const [name, imported, files, why] of cases) {
    test(name, async () => {
      const folder = project({
        "package.json": "{}",
        "main.ts": `import "${imported}"`,
        ...files,
      });
      expect(Bun.spawnSync(["mkfifo", join(folder, "fifo")]).exitCode).toBe(0);
      if ("big.ts" in files) truncateSync(join(folder, "big.ts"), 2 ** 31);
      const message = await inSubprocess(
        join(folder, "main.ts"),
        ({ presets, thrown }, script) => thrown(() => presets.modules(script))?.["message"],
        { cwd: "/" },
      );
      expect(String(message).replaceAll(`${folder}/`, "")).toBe(`Cannot read ${why}`);
    });
  }
});
