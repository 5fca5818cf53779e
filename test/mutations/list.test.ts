/** The listed mistakes fit the current sources; `run.ts` makes them. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mutations } from "./list.ts";

const root = join(import.meta.dir, "../..");

test("every mistake of the list has its place, once, and changes it", () => {
  const wrong = mutations.filter(({ file, text, instead }) => {
    const found = readFileSync(join(root, "src", file), "utf8").split(text).length - 1;
    return found !== 1 || text === instead;
  });
  expect(wrong.map(({ file, text }) => `${file}: ${text}`)).toEqual([]);
  expect(mutations.length).toBeGreaterThanOrEqual(30);
});

test("every test that has to notice a mistake exists", () => {
  const tests = mutations.flatMap((mutation) => mutation.tests);
  expect(tests.filter((file) => !existsSync(join(root, "test", file)))).toEqual([]);
});

test("every folder of src that decides something has a mistake", () => {
  const folders = readdirSync(join(root, "src"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  // The build is tested as a whole, examples are programs, and schemas are values.
  const others = ["build", "examples", "validate"];
  const covered = new Set(mutations.map(({ file }) => file.split("/")[0]!));
  expect(folders.filter((name) => !covered.has(name) && !others.includes(name))).toEqual([]);
});
