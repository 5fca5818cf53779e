/** Imports go from top to bottom, with no cycle and no way back up. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const src = join(import.meta.dir, "../src");
const transpiler = new Bun.Transpiler({ loader: "ts" });

/** From top to bottom: a file imports only from its own row or lower ones. */
const layers: readonly (readonly string[])[] = [
  ["examples/*", "build/*"],
  ["cli.ts", "preload.ts", "cli/*"],
  ["learn/*"],
  ["index.ts"],
  ["explain/**"],
  ["policy/*"],
  ["advise/*"],
  ["trace/*"],
  ["model/*"],
  ["presets/*"],
  ["sandbox/*"],
  ["validate/**"],
  ["spawn/*"],
  ["terminal/*"],
  ["kernel/*"],
  ["errors/*"],
  ["vocabulary.ts"],
];

function layerOf(file: string): number {
  return layers.findIndex((globs) => globs.some((glob) => new Bun.Glob(glob).match(file)));
}

/** The modules that a text imports, for code and for types. */
function importsOf(text: string): string[] {
  const runs = transpiler.scanImports(text.replace(/^#!.*/, "")).map(({ path }) => path);
  const types = [...text.matchAll(/^(?:import|export|\}) .*?\bfrom "([^"]+)"/gm)].map(
    ([, path]) => path!,
  );
  return [...new Set([...runs, ...types])].sort();
}

/** Maps each file in src to its imports; paths are relative to src. */
const graph = new Map(
  [...new Bun.Glob("**/*.ts").scanSync(src)]
    .filter((file) => !file.endsWith(".d.ts"))
    .sort()
    .map((file) => [
      file,
      importsOf(readFileSync(join(src, file), "utf8")).map((path) =>
        path.startsWith(".")
          ? join("/", file, "..", path).slice(1)
          : path.replace(/^bun-landlock$/, "index.ts"),
      ),
    ]),
);
const edges = [...graph].flatMap(([file, paths]) => paths.map((path) => [file, path] as const));
const inside = edges.filter(([, path]) => path.endsWith(".ts"));

/** The first import cycle as a list of files, or nothing. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, way: string[]): string[] => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const path of imports.get(file) ?? []) {
      const circle = visit(path, [...way, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const circle = visit(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

test("imports are found, those of types too", () => {
  expect(graph.get("sandbox/report.ts")).toContain("sandbox/plan.ts");
  expect(graph.get("sandbox/config.ts")).toEqual(
    expect.arrayContaining(["sandbox/ruleset.ts", "sandbox/plan.ts"]),
  );
  const text = `import a, { b } from "./a.ts";
import type { C } from "./c.ts";
import {
  type D,
} from "./d.ts";
export * from "./e.ts";
import "./f.ts";
const g = await import("./g.ts");
const h = require("node:os");
a(b, g, h);`;
  const names = ["./a.ts", "./c.ts", "./d.ts", "./e.ts", "./f.ts", "./g.ts", "node:os"];
  expect(importsOf(text)).toEqual(names);
});

test("imports have no circles, types included", () => {
  expect(circleIn(graph)).toEqual([]);
  const circle = { a: ["b", "d"], b: ["c"], c: ["d", "b"], d: [] };
  expect(circleIn(new Map(Object.entries(circle)))).toEqual(["b", "c", "b"]);
});

test("every file in src has a layer", () => {
  expect([...graph.keys()].filter((file) => layerOf(file) < 0)).toEqual([]);
});

test("imports go down the layers, or stay in one", () => {
  const up = inside.filter(([file, path]) => layerOf(path) < layerOf(file));
  expect(up.map(([file, path]) => `${file} imports ${path}`)).toEqual([]);
});

test("every import of a file in src finds one", () => {
  expect(inside.filter(([, path]) => !graph.has(path))).toEqual([]);
});

test("files in kernel know only each other, errors and the native libraries", () => {
  const known = /^(kernel\/\w+\.ts|errors\/\w+\.ts|bun:ffi|node:\w+|lib\/prebuilt\/.*\.so)$/;
  const strange = edges.filter(([file, path]) => file.startsWith("kernel/") && !known.test(path));
  expect(strange).toEqual([]);
});

test("src imports nothing from outside but Bun, Node's modules, zod and its version", () => {
  const known = /^(bun(:\w+)?|node:[\w/]+|zod\/mini|lib\/prebuilt\/.*\.so|.*\.ts|package\.json)$/;
  expect(edges.filter(([, path]) => !known.test(path))).toEqual([]);
  const zod = edges.filter(([, path]) => path.startsWith("zod")).map(([file]) => file);
  // It is slow to load, so it stays where the code can load it late.
  expect(zod.filter((file) => !/^validate\/schemas(\/[\w-]+)?\.ts$/.test(file))).toEqual([]);
});

test("schemas have one door, so that they can be loaded late", () => {
  const doors = /^(validate\/schemas\.ts|validate\/schemas\/.*|build\/main\.ts)$/;
  const past = inside.filter(
    ([file, path]) => path.startsWith("validate/schemas/") && !doors.test(file),
  );
  expect(past.map(([file, path]) => `${file} imports ${path}`)).toEqual([]);
});

test("native libraries are loaded in kernel only", () => {
  const loads = edges.filter(([, path]) => path.endsWith(".so")).map(([file]) => file);
  expect(loads.filter((file) => !file.startsWith("kernel/"))).toEqual([]);
});

/** What only tests import, and why they need it. */
const doors = [
  "cli/prepare-exec.ts environmentOf",
  "errors/hints.ts unexpandedIn",
  "kernel/image.ts nativePath", // The bundles contain the bytes and have no file.
  "model/model.ts Verdict",
  "policy/paths.ts absolute",
  "spawn/call.ts optionsOfBun", // Compared with Bun's own types.
  "terminal/screen.ts screenFor", // screenOf() needs a real terminal.
  "trace/value.ts unescape",
];

test("what src exports is imported by another file of src, but for doors for tests", () => {
  const imported = new Set<string>();
  for (const file of graph.keys()) {
    const text = readFileSync(join(src, file), "utf8");
    const lists = text.matchAll(/^(?:import|export)(?: type)? \{([^}]*)\} from "(\.[^"]+)"/gm);
    for (const [, list, path] of lists) {
      const from = join("/", file, "..", path!).slice(1);
      for (const name of list!.split(",")) {
        imported.add(`${from} ${name.trim().replace(/^type | as .*/g, "")}`);
      }
    }
  }
  const declared =
    /^export (?:declare |async |abstract )*(?:const|function\*?|class|type|interface|let) (\w+)/gm;
  // Programs that people run; only tests import them.
  const others = [...graph.keys()].filter((file) => !/^(examples\/.*|index\.ts)$/.test(file));
  const exported = others.flatMap((file) =>
    [...readFileSync(join(src, file), "utf8").matchAll(declared)].map(
      ([, name]) => `${file} ${name}`,
    ),
  );
  expect(exported.length).toBeGreaterThan(300);
  expect(exported.filter((name) => !imported.has(name)).sort()).toEqual(doors);
});
