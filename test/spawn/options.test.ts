/** `ruleset.spawn()` accepts what `Bun.spawn()` accepts, option by option. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { optionsOfBun } from "../../src/spawn/call.ts";
import { kernelAbi, patience, tempDir, testUnless } from "../harness.ts";
import { makeCases } from "./cases.ts";

const types = join(import.meta.dir, "../../node_modules/bun-types/bun.d.ts");
const isWindows = (key: string) => key.startsWith("windows");

/** The names of an interface's own members, by their indentation. */
function membersOf(text: string, name: string): string[] {
  const [, indent, body] = new RegExp(
    `^( +)interface ${name}<[^{]*\\{\\n(.*?)\\n\\1\\}`,
    "ms",
  ).exec(text)!;
  return [...body!.matchAll(new RegExp(`^${indent}  (\\w+)\\??[:(]`, "gm"))].map(([, key]) => key!);
}

/** A Markdown table row, regardless of column padding. */
const rowsOf = (text: string) =>
  text
    .split("\n")
    .flatMap((line) => (/^\| [a-zA-Z]/.test(line) ? [line.replaceAll(/ +/g, " ")] : []));

testUnless(
  existsSync(types) ? "" : "needs bun-types",
  "every option of Bun's types is tried",
  () => {
    const text = readFileSync(types, "utf8");
    const declared = ["BaseOptions", "SpawnOptions"].flatMap((name) => membersOf(text, name));
    const tried = new Set(makeCases(tempDir()).map(({ key }) => key));
    expect(declared.length).toBeGreaterThan(20);
    expect(declared.filter((key) => !tried.has(key))).toEqual([]);
    const read: readonly string[] = optionsOfBun;
    expect(declared.filter((key) => !read.includes(key) && !isWindows(key))).toEqual([]);
    expect(read.filter((key) => !declared.includes(key))).toEqual([]);
  },
);

test("Bun reads no option that spawn() does not know", async () => {
  const read = new Set<string>();
  const options = (values: object) =>
    new Proxy(values, {
      get(target, key) {
        read.add(String(key));
        return Reflect.get(target, key) as unknown;
      },
    });
  await Bun.spawn(options({ cmd: ["true"], ipc: () => {} }) as { cmd: string[] }).exited;
  Bun.spawnSync(options({ cmd: ["true"] }) as { cmd: string[] });
  expect([...read].sort()).toEqual([...optionsOfBun, "cmd"].sort());
});

testUnless(
  kernelAbi === 0 ? "needs Landlock" : "",
  "every option has the outcome that it has with Bun, or one named error: options.md",
  async () => {
    const output = join(tempDir(), "options.md");
    const script = join(import.meta.dir, "options.ts");
    const child = Bun.spawn([process.execPath, script, output], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      timeout: patience(100_000),
    });
    const said = await child.stderr.text();
    expect(await child.exited, said.slice(-4000)).toBe(0);
    const own = rowsOf(readFileSync(output, "utf8"));
    const kept = rowsOf(readFileSync(join(import.meta.dir, "options.md"), "utf8"));
    const isRoot = process.getuid!() === 0;
    expect(own).toEqual(kept.filter((row) => isRoot || !/^\| [ug]id \|/.test(row)));
  },
  110_000,
);
