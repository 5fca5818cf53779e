/** House rules for the text of the sources, and for what the package promises. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const linesMax = 400;

const files = [...new Bun.Glob("{src,lib,test}/**/*.{ts,c,h,md}").scanSync(root)].sort();
const textOf = new Map(
  [...files, "README.md"].map((file) => [file, readFileSync(join(root, file), "utf8")]),
);
const typescript = files.filter((file) => file.endsWith(".ts"));

/** Each line of some files that breaks a rule, as `file:line` and the line. */
function offences(where: readonly string[], breaks: (line: string) => boolean): string[] {
  return where.flatMap((file) =>
    textOf
      .get(file)!
      .split("\n")
      .flatMap((line, i) => (breaks(line) ? [`${file}:${i + 1} ${line.trim()}`] : [])),
  );
}

test("the sources are found", () => {
  expect(files).toContain("src/index.ts");
  expect(files).toContain("lib/allthreads.c");
  expect(files).toContain("test/tidy.test.ts");
});

describe("text", () => {
  test(`no file is longer than ${linesMax} lines`, () => {
    const counts = files.map((file) => [file, textOf.get(file)!.split("\n").length - 1] as const);
    expect(counts.filter(([, lines]) => lines > linesMax)).toEqual([]);
  });

  test("every file ends with one newline and has no stray white space", () => {
    const ends = files.filter((file) => !/[^\n]\n$/.test(textOf.get(file)!));
    expect(ends).toEqual([]);
    expect(offences(files, (line) => /[ \t\r]$/.test(line))).toEqual([]);
  });

  test("nothing is left of a merge", () => {
    const mark = /^(<{7}|(> ?){7}) /;
    expect(offences([...textOf.keys()], (line) => mark.test(line))).toEqual([]);
  });

  test("nothing is left for later", () => {
    expect(offences(files, (line) => /\b(TO[D]O|FIX[M]E|X[X]X|HAC[K])\b/.test(line))).toEqual([]);
  });

  test("no file names a place of one machine", () => {
    const place = /(?<![\w.])\/(roo[t]|wor[k]|tm[p]\/x|Users\/\w+)\//;
    expect(offences(files, (line) => place.test(line))).toEqual([]);
  });
});

/** A line without its comment and strings, as far as one line shows them. */
function codeOf(line: string): string {
  if (/^\s*(\/?\*|\/\/)/.test(line)) return "";
  return line
    .replace(/"(\\.|[^"\\])*"|'(\\.|[^'\\])*'|`(\\.|[^`\\])*`/g, '""')
    .replace(/\/\/.*/, "");
}

/** Matches `any` where a type stands; a name may contain it. */
const untyped = /(\bas|[:<|&,(=]|=>)\s*any\b(?!\s*[:(])|\bany\[\]/;

describe("types", () => {
  test("nothing has the type any", () => {
    expect(offences(typescript, (line) => untyped.test(codeOf(line)))).toEqual([]);
  });

  test("no type error is silenced outside of type tests", () => {
    // The build adds one to the declarations, for projects without Bun's types.
    const written = /@ts-(ignor[e]|nochec[k])(?!: without Bun's types\\n)/;
    expect(offences(typescript, (line) => written.test(line))).toEqual([]);
    const sources = typescript.filter((file) => !file.endsWith(".test.ts"));
    expect(offences(sources, (line) => line.includes("@ts-expect-error"))).toEqual([]);
  });

  test("the rules see what they look for", () => {
    const seen = ["let a: any;", "f(a as any)", "Map<string, any>", "x as any[]", "() => any"];
    const unseen = ['"a: any"', "// as any", " * of any", "expect.any(Number)", "const any = 1"];
    expect(seen.filter((line) => !untyped.test(codeOf(line)))).toEqual([]);
    expect(unseen.filter((line) => untyped.test(codeOf(line)))).toEqual([]);
  });
});

/** Exported functions, classes and their methods that lack a docstring. */
function undocumented(file: string, text: string): string[] {
  const lines = text.split("\n");
  const found: string[] = [];
  let inClass = false;
  for (const [i, line] of lines.entries()) {
    if (/^export (default )?(abstract )?class\b/.test(line)) inClass = true;
    else if (line.startsWith("}")) inClass = false;
    const exported =
      /^export (default )?(async |abstract )*(function|class)\b/.test(line) ||
      /^export const \w+ = (async )?(\(|<|function\b)/.test(line);
    const method =
      inClass &&
      /^  (?!private\b)((static|async|override|abstract|protected|get|set) |\*)*(\[.+?\]|\w+)\s*[<(]/.test(
        line,
      );
    if ((exported || method) && !lines[i - 1]?.trimEnd().endsWith("*/")) {
      found.push(`${file}:${i + 1} ${line.trim()}`);
    }
  }
  return found;
}

describe("docstrings", () => {
  const sources = typescript.filter((file) => file.startsWith("src/"));

  test("every exported function, class and method in src has one", () => {
    expect(sources.flatMap((file) => undocumented(file, textOf.get(file)!))).toEqual([]);
  });

  test("the rule sees what it looks for", () => {
    const bare = [
      "export function a() {}",
      "export async function b() {}",
      "export abstract class C {",
      "  constructor() {}",
      "  get d() {",
      "    return f(1);",
      "  }",
      "  [Symbol.dispose](): void {}",
      "  e<",
      "    T,",
      "  >(x: T) {}",
      "  readonly g: string;",
      "  #h() {}",
      "}",
      "  call(1);",
      "export const i = () => 1;",
    ];
    expect(undocumented("x", bare.join("\n")).map((row) => row.split(" ")[0]!)).toEqual(
      [1, 2, 3, 4, 5, 8, 9, 16].map((line) => `x:${line}`),
    );
    const documented = bare.flatMap((line) => ["/** What it is. */", line]).join("\n");
    expect(undocumented("x", documented)).toEqual([]);
  });
});

describe("package.json", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    [key: string]: unknown;
    scripts: Record<string, string>;
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
    exports: Record<string, unknown>;
    files: string[];
  };

  test("it runs nothing when it is installed", () => {
    const hooks = ["install", "prepare", "publish", "pack", "dependencies"];
    const names = Object.keys(manifest.scripts);
    expect(names.filter((name) => hooks.some((hook) => name.includes(hook)))).toEqual([]);
    expect(manifest).not.toContainAnyKeys(["trustedDependencies", "gypfile", "bundleDependencies"]);
  });

  test("it depends on nothing, zod being in the bundle, and pins what it is built with", () => {
    expect(manifest.dependencies).toBeUndefined();
    const others = ["peerDependencies", "optionalDependencies", "bundledDependencies"];
    expect(manifest).not.toContainAnyKeys(others);
    expect(Object.keys(manifest.devDependencies).sort()).toEqual([
      "bun-types",
      "typescript",
      "zod",
    ]);
    for (const version of Object.values(manifest.devDependencies))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test("it has its fixed names", () => {
    expect(manifest).toMatchObject({ name: "bun-landlock", type: "module", license: "MIT" });
    expect(manifest["engines"]).toEqual({ bun: expect.any(String) });
    const bins = Object.entries(manifest["bin"] as Record<string, string>);
    expect(bins.map(([name]) => name).sort()).toEqual(["bun-landlock", "landlock-restrict"]);
    expect(new Set(bins.map(([, file]) => file)).size).toBe(1);
    expect(Object.keys(manifest.exports)).toContain(".");
  });

  test("it can be installed where it can be imported: everywhere", () => {
    expect(manifest).not.toContainAnyKeys(["os", "cpu", "libc"]);
  });

  test("it publishes examples and manuals, but no tests and no sources of the build", () => {
    const inner = manifest.files.filter((file) => /^(\.|src|test|node_modules)/.test(file));
    expect(inner).toEqual(["src/examples", "src/*/README.md", "test/spawn/options.md"]);
  });

  test("the top level has its fixed names, dotfiles, a licence and a lock file", () => {
    const fixed = ["package.json", "tsconfig.json", "bunfig.toml", "lib", "src", "test"];
    const allowed = [...fixed, "README.md", "LICENSE", "bun.lock", "node_modules", "dist"];
    const names = readdirSync(root).filter((name) => !name.startsWith("."));
    expect(names.filter((name) => !allowed.includes(name) && !name.endsWith(".tgz"))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(fixed));
  });
});
