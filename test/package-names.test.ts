/** Classes of the published, minified form: they have their names, in bundles made of it too. */
import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { installPacked, run } from "./packed.ts";

let folder = "";

const script = `
  import { inspect } from "node:util";
  import * as library from "bun-landlock";
  const { bindTcp, composite, Config, landlock, LandlockError, parsePolicy, roDirs } = library;
  const values = [
    landlock.V1, roDirs("/usr"), bindTcp(1), composite(),
    parsePolicy({ abi: 1, ro: [] }), landlock.V1.bestEffort({ allowNone: true }).ruleset(),
  ];
  let error;
  try { bindTcp(-1); } catch (caught) { error = caught; }
  console.log(JSON.stringify({
    exported: Object.entries(library).filter(([, one]) => /^class/.test(\`\${one}\`)).map(([name, one]) => [name, one.name]),
    constructors: [...values, error].map((value) => value.constructor.name),
    printed: values.map((value) => Bun.inspect(value).split(" {")[0]),
    inspected: values.map((value) => inspect(value).split(" {")[0]),
    error: [error.name, Bun.inspect(error).includes("LandlockError: "), error.stack.split(":")[0]],
  }));`;

const names = ["Config", "FsRule", "NetRule", "CompositeRule", "Policy", "Ruleset"];
const expected = {
  exported: [...names, "LandlockError"].sort().map((name) => [name, name]),
  constructors: [...names, "LandlockError"],
  printed: names,
  inspected: names,
  error: ["LandlockError", true, "LandlockError"],
};

beforeAll(async () => {
  folder = await installPacked();
  await Bun.write(join(folder, "names.ts"), script);
}, 60_000);

const namesIn = (program: string) => {
  const { stdout, stderr } = run([process.execPath, program], folder);
  expect(stderr).toBe("");
  const { exported, ...seen } = JSON.parse(stdout);
  return { exported: exported.sort(), ...seen };
};

test("the installed package's classes, rules, rulesets and errors have their own names", () => {
  expect(namesIn("names.ts")).toEqual(expected);
});

for (const format of ["esm", "cjs", "iife"]) {
  test(`a minified ${format} bundle of a program keeps the names of the package's classes`, () => {
    const options = ["--target=bun", "--minify", `--format=${format}`, `--outdir=${format}`];
    expect(run([process.execPath, "build", "names.ts", ...options], folder).code).toBe(0);
    expect(namesIn(`${format}/names.js`)).toEqual(expected);
  });
}
