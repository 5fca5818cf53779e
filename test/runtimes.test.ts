/** Runtimes other than Bun 1.4 get one sentence from the installed package. */
import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { run, testUnless } from "./harness.ts";
import { installPacked } from "./packed.ts";

let folder = "";
const dist = () => join(folder, "node_modules/bun-landlock/dist");

beforeAll(async () => {
  folder = await installPacked();
}, 60_000);

/** What the first statement of a published file prints in a runtime with these globals. */
function first(file: string, globals: object): string {
  const text = readFileSync(join(dist(), file), "utf8");
  const [statement] = /^if \([\s\S]*?\n\}\n/m.exec(text)!;
  const said: string[] = [];
  const console = { error: (line: string) => said.push(line) };
  const exit = (status: number) => said.push(`exit ${status}`);
  try {
    runInNewContext(statement, {
      console,
      ...globals,
      process: { exit, ...(globals as { process?: object }).process },
    });
  } catch (error) {
    said.push((error as Error).message);
  }
  return said.join(", ");
}

const { semver } = Bun;
const others: Readonly<Record<string, object>> = {
  "Bun 1.3.14": { Bun: { version: "1.3.14", semver } },
  "Bun 0.9.0": { Bun: { version: "0.9.0", semver } },
  "Deno 2.9.6": { Deno: { version: { deno: "2.9.6" } }, process: { versions: { node: "24.0.0" } } },
  "Node 24.1.0": { process: { versions: { node: "24.1.0" } } },
  "a browser": {},
};

for (const [name, globals] of Object.entries(others)) {
  test(`in ${name} each published file says that Bun 1.4 is needed, and which runtime this is`, () => {
    const sentence = `bun-landlock needs Bun 1.4 or newer, this is ${name}`;
    expect(first("index.js", globals)).toBe(sentence);
    expect(first("preload.js", globals)).toBe(`bun-landlock/preload: ${sentence}, exit 1`);
    expect(first("cli.js", globals)).toBe(`landlock-restrict: ${sentence}, exit 125`);
    if (!name.startsWith("Bun")) expect(first("other-runtime.cjs", globals)).toBe(sentence);
  });
}

for (const version of ["1.4.0", "1.4.0-canary.20260101", "1.4.5", "1.10.0", "2.0.0"]) {
  test(`Bun ${version} is new enough for each published file`, () => {
    const globals = { Bun: { version, semver } };
    expect(["index.js", "preload.js", "cli.js"].map((file) => first(file, globals))).toEqual([
      "",
      "",
      "",
    ]);
  });
}

test("the published files import nothing that another runtime would miss before that sentence", () => {
  const transpiler = new Bun.Transpiler({ loader: "js" });
  for (const file of ["index.js", "preload.js", "cli.js", "other-runtime.cjs"]) {
    const text = readFileSync(join(dist(), file), "utf8").replace(/^#!.*/, "");
    const imports = transpiler.scanImports(text).filter(({ kind }) => kind === "import-statement");
    expect({ file, imports }).toEqual({ file, imports: [] });
  }
});

describe("Node", () => {
  const missing = Bun.which("node") ? "" : "needs node";
  const version = missing ? "" : run(["node", "--version"], "/").stdout.trim().slice(1);
  const sentence = `bun-landlock needs Bun 1.4 or newer, this is Node ${version}`;
  const files: Readonly<Record<string, string>> = {
    "import.mjs": 'import { landlock, roDirs } from "bun-landlock"; console.log(landlock, roDirs);',
    "require.cjs": 'const { landlock } = require("bun-landlock"); console.log(landlock);',
    "dynamic.mjs": 'await import("bun-landlock");',
    "preload.mjs": 'import "bun-landlock/preload"; console.log("ran");',
    "preload.cjs": 'require("bun-landlock/preload"); console.log("ran");',
  };

  for (const [file, text] of Object.entries(files)) {
    testUnless(missing, `says in one sentence why ${file} fails`, async () => {
      await Bun.write(join(folder, file), text);
      const { stdout, stderr, code } = run(["node", file], folder);
      expect(stdout).toBe("");
      expect(code).toBe(1);
      expect(stderr).toContain(sentence);
      expect(stderr.length).toBeLessThan(1000);
    });
  }

  for (const flag of ["--import", "--require"]) {
    testUnless(
      missing,
      `with ${flag} bun-landlock/preload runs nothing of the program`,
      async () => {
        await Bun.write(join(folder, "main.js"), 'console.log("ran");');
        const { stdout, stderr, code } = run(
          ["node", flag, "bun-landlock/preload", "main.js"],
          folder,
        );
        expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
        expect(stderr).toContain(sentence);
      },
    );
  }

  testUnless(missing, "says in one line why the command line does not run", () => {
    const { stdout, stderr, code } = run(["node", join(dist(), "cli.js"), "status"], folder);
    expect({ stdout, stderr, code }).toEqual({
      stdout: "",
      stderr: `landlock-restrict: ${sentence}\n`,
      code: 125,
    });
  });

  testUnless(missing, "runs a bundle for browsers to that sentence", async () => {
    await Bun.write(join(folder, "app.ts"), files["import.mjs"]!);
    expect(run([process.execPath, "build", "app.ts", "--outdir=web"], folder).code).toBe(0);
    const { stdout, stderr } = run(["node", "web/app.js"], folder);
    expect(stdout).toBe("");
    expect(stderr).toContain(sentence);
  });
});

test("a CommonJS bundle for Node that Bun runs names the option it lacks", async () => {
  await Bun.write(join(folder, "app.cjs"), 'require("bun-landlock");');
  const options = ["build", "app.cjs", "--target=node", "--outdir=node"];
  expect(run([process.execPath, ...options], folder).code).toBe(0);
  expect(run([process.execPath, "node/app.js"], folder).stderr).toContain("--target=bun");
});
