/** The code on every page type-checks, runs, and prints what the page shows. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folders } from "./folders.ts";
import { kernelAbi, patience, tempDir, testUnless } from "./harness.ts";
import { needsStrace } from "./observe/strace.ts";
import { installPacked } from "./packed.ts";
import { blocksOf, commandsOf, fileOf, pages, sessionOf, type Block } from "./pages/blocks.ts";
import { startRegistry } from "./pages/registry.ts";
import { makeScene, type Scene } from "./pages/scene.ts";

const root = join(import.meta.dir, "..");
const blocks = pages.flatMap(blocksOf);

/** Commands that no test can run, with the reason. */
const notRun: Readonly<Record<string, string>> = {
  "sh test/run ok": "runs this test",
  "bun fmt": "rewrites files of the project",
  "bun lib/build.ts": "rewrites files of the project",
  "bun run test:kernels": "downloads kernels and runs for an hour",
  "bun run test:kernels quick": "downloads kernels and runs for minutes",
  "bun run test:kernels x64-7.3": "downloads kernels and runs for minutes",
  "bun run bench": "downloads other programs and runs for ten minutes",
  "bun run bench quick": "downloads other programs",
  "bun run bench launch startup spawn rules threads tsync server opens":
    "downloads other programs and runs for ten minutes",
};

/** Commands for contributors: they run in the sources. */
const inSources = /^(sh test\/run|bun (run|check|fmt|test|lib)|readelf)\b/;

/** What a block needs that may be missing; empty if nothing. */
function missingFor({ code, language }: Block): string {
  const needs = (...programs: string[]) => programs.find((program) => !Bun.which(program));
  const absent =
    (/\bgit\b/.test(code) && needs("git")) ||
    (code.includes("lib/build.ts --check") && needs("gcc", "aarch64-linux-gnu-gcc")) ||
    (code.includes("readelf") && needs("readelf"));
  if (absent) return `needs ${absent}`;
  if (/landlock-restrict (explain|learn)/.test(code) && needsStrace) return needsStrace;
  const enforces = language !== "sh" || code.includes("landlock");
  return enforces && kernelAbi < 4 ? "needs Landlock ABI 4" : "";
}

const isFile = (block: Block) =>
  fileOf(block) !== undefined || ["json", "toml"].includes(block.language);

/** Collapses spaces, because column widths depend on the names. */
const squeezed = (text: string) => text.replaceAll(/ +/g, " ").trimEnd();

let tools = "";
let registry = "";
const scenes = new Map<string, Scene>();
const counted = new Map<string, number>();

async function sceneOf(page: string): Promise<Scene> {
  const scene = scenes.get(page) ?? (await makeScene(page, tools, registry));
  scenes.set(page, scene);
  return scene;
}

beforeAll(async () => {
  const folder = await installPacked();
  tools = join(folder, "node_modules/.bin");
  registry = (await startRegistry(join(folder, "package.tgz"))).url.href;
}, patience(60_000));

/** The file name under which a block is saved. */
function nameOf(block: Block, { json }: Scene): string {
  if (block.language !== "json") return fileOf(block) ?? `line-${block.line}.ts`;
  const index = counted.get(block.page) ?? 0;
  counted.set(block.page, index + 1);
  const name = json[index];
  if (name === undefined) throw new Error(`${block.page}: nobody knows what this JSON is`);
  return name;
}

async function runConsole(block: Block, scene: Scene): Promise<void> {
  const session = sessionOf(block);
  const script = session.map(({ command }) => `${command}\nprintf '\\0%s\\0' "$?"`).join("\n");
  const parts = (await scene.run(script, false)).output.split("\0");
  for (const [i, { command, output }] of session.entries()) {
    const [printed = "", status] = parts.slice(2 * i);
    if (output === "")
      expect([command, status, status === "0" || printed]).toEqual([command, "0", true]);
    else expect(`$ ${command}\n${squeezed(printed)}`).toBe(`$ ${command}\n${squeezed(output)}`);
  }
}

async function runScript(block: Block, scene: Scene): Promise<void> {
  for (const source of [false, true]) {
    const commands = commandsOf(block).filter(
      (command) => !Object.hasOwn(notRun, command) && inSources.test(command) === source,
    );
    const { output, code } = await scene.run(["set -e", ...commands].join("\n"), source);
    expect([code, code === 0 || output]).toEqual([0, true]);
  }
}

describe("every block of", () => {
  for (const block of blocks) {
    const { page, line, language, code } = block;
    const title = `${page}, line ${line}: ${code.split("\n")[0]}`;
    testUnless(
      missingFor(block),
      title,
      async () => {
        if (language === "") {
          expect(code).toContain("▶");
          return;
        }
        const scene = await sceneOf(page);
        if (language === "console") return runConsole(block, scene);
        if (language === "sh") return runScript(block, scene);
        expect(["ts", "toml", "json"]).toContain(language);
        const name = nameOf(block, scene);
        scene.save(name, code);
        if (isFile(block)) return;
        const { output, code: status } = await scene.run(`bun ${name}`, false);
        expect([status, status === 0 || output]).toEqual([0, true]);
      },
      60_000,
    );
  }
});

describe("the pages", () => {
  test("are all found, with their blocks", () => {
    const found = new Set(blocks.map(({ page }) => page));
    for (const name of ["cli", "explain", "learn", "policy", "presets", "sandbox"]) {
      expect(found).toContain(`src/${name}/README.md`);
    }
    expect([...found]).toEqual(expect.arrayContaining(["README.md", ".github/CONTRIBUTING.md"]));
  });

  test("contain each command that is not run", () => {
    const commands = blocks.filter(({ language }) => language === "sh").flatMap(commandsOf);
    expect(Object.keys(notRun).filter((command) => !commands.includes(command))).toEqual([]);
  });

  test("use each file that a block is saved as", () => {
    const named = blocks.filter(isFile).filter(({ language }) => language !== "json");
    const uses = (page: string, name: string) =>
      blocks.some(
        (other) => other.page === page && fileOf(other) !== name && other.code.includes(name),
      );
    const implied = ["bunfig.toml"];
    const unused = named.filter((block) => {
      const name = fileOf(block) ?? "a block without a name";
      return !uses(block.page, name) && !implied.includes(name);
    });
    expect(unused.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
  });

  test("show a converted image and a compiled program that are there afterwards", async () => {
    // Earlier blocks create them, if this kernel can.
    if (kernelAbi < 4) return;
    const bytes = readFileSync(join((await sceneOf("README.md")).folder, "photo.png"), "latin1");
    expect(bytes).toStartWith("\x89PNG");
    expect(
      Bun.file(join((await sceneOf("src/sandbox/README.md")).folder, "main")).size,
    ).toBeGreaterThan(1e7);
  });
});

test(
  "the pages' TypeScript type-checks",
  async () => {
    const folder = tempDir();
    const { compilerOptions } = await Bun.file(join(root, "tsconfig.json")).json();
    const types = [join(root, "node_modules/bun-types")];
    const paths = { "bun-landlock": [join(root, "src/index.ts")] };
    const options = { ...compilerOptions, types, paths };
    const include = ["*.ts", join(root, "src/kernel/so.d.ts")];
    const tsconfig = JSON.stringify({ compilerOptions: options, include });
    await Bun.write(join(folder, "tsconfig.json"), tsconfig);
    const snippets = blocks.filter(({ language }) => language === "ts");
    expect(snippets.length).toBeGreaterThan(5);
    for (const [i, { code }] of snippets.entries()) await Bun.write(join(folder, `${i}.ts`), code);
    const done = Bun.spawnSync([process.execPath, "check"], { cwd: folder });
    expect([done.exitCode, `${done.stdout}${done.stderr}`]).toEqual([0, expect.any(String)]);
  },
  patience(60_000),
);

testUnless(
  kernelAbi < 1 ? "needs Landlock" : "",
  "the README's first example lets ls and memoryUsage() work, and closes the rest",
  async () => {
    const cwd = tempDir();
    await Bun.write(join(cwd, "own"), "text");
    const outside = mkdtempSync("/var/tmp/landlock-test-");
    folders.push(outside);
    await Bun.write(join(outside, "file"), "text");
    const next = `
      Bun.spawnSync(["ls"]);
      process.memoryUsage();

      const { readFileSync, writeFileSync } = require("node:fs");
      const outcome = (action) => { try { return action(), "ok" } catch ({ code }) { return code } };
      const ls = Bun.spawnSync(["ls"]);
      console.log(JSON.stringify({
        ls: [ls.exitCode, ls.stdout.toString().split("\\n").includes("own"), ls.stderr.toString()],
        memory: process.memoryUsage().rss > 0,
        own: outcome(() => readFileSync("own")),
        outside: outcome(() => readFileSync(${JSON.stringify(join(outside, "file"))})),
        etc: outcome(() => readFileSync("/etc/passwd")),
        write: outcome(() => writeFileSync(${JSON.stringify(join(outside, "new"))}, "")),
      }));`;
    const first = blocks.find((block) => block.page === "README.md" && block.language === "ts")!;
    const call = first.code.split("\n\n").slice(0, 2).join("\n\n");
    expect(call).toEndWith(");");
    const index = JSON.stringify(join(root, "src/index.ts"));
    const program = (code: string) => {
      const file = join(cwd, "first.ts");
      writeFileSync(file, code.replace('"bun-landlock"', index) + next);
      const done = Bun.spawnSync([process.execPath, file], { cwd });
      return { ...JSON.parse(done.stdout.toString()), stderr: done.stderr.toString() };
    };
    const works = { ls: [0, true, ""], memory: true, own: "ok", stderr: "" };
    const open = { ...works, outside: "ok", etc: "ok", write: "ok" };
    expect(program("")).toEqual(open);
    const closed = { outside: "EACCES", etc: "EACCES", write: "EACCES" };
    expect(program(call)).toEqual({ ...works, ...closed });
  },
);

test(
  "the README names the options that keep Bun from loading .env, and they do",
  async () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const names = readme.match(/(?<=`(?:bun )?)--no-[\w-]*(?:env-file|dotenv)(?=`)/g);
    expect(names).toEqual(["--no-env-file", "--no-compile-autoload-dotenv"]);
    const [atStart, compiled] = names as unknown as [string, string];
    const folder = tempDir();
    writeFileSync(join(folder, ".env"), "LOADED=yes");
    writeFileSync(join(folder, "main.ts"), "console.log(process.env.LOADED ?? 'no')");
    const run = (...args: string[]) =>
      Bun.spawnSync([process.execPath, ...args], {
        cwd: folder,
        stderr: "inherit",
      }).stdout.toString();
    expect(run("main.ts")).toBe("yes\n");
    expect(run(atStart, "main.ts")).toBe("no\n");
    const build = ["build", "--compile", "main.ts", "--outfile", "main"];
    for (const [options, loaded] of [
      [[], "yes\n"],
      [[compiled], "no\n"],
    ] as const) {
      run(...build, ...options);
      expect(Bun.spawnSync([join(folder, "main")], { cwd: folder }).stdout.toString()).toBe(loaded);
    }
  },
  patience(60_000),
);
