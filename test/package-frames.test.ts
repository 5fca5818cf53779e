/** Stacks of published errors start at the caller's line and show no line of the package. */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { kernelAbi, run, testUnless } from "./harness.ts";
import { installPacked } from "./packed.ts";

/** Calls that throw, one for each public function and method that can. */
const calls: Readonly<Record<string, string>> = {
  roDirs: 'roDirs("")',
  rwDirs: "rwDirs(1)",
  roFiles: "roFiles(null)",
  rwFiles: 'rwFiles("a\\0")',
  pathAccess: 'pathAccess(["read"], "/")',
  bindTcp: "bindTcp(-1)",
  connectTcp: "connectTcp(70000)",
  bindUdp: "bindUdp(0.5)",
  connectSendUdp: 'connectSendUdp("x")',
  composite: "composite({})",
  planFor: "planFor({}, [], {})",
  parsePolicy: "parsePolicy({ rwx: [] })",
  "parsePolicy, preset": 'parsePolicy({ presets: ["nothing"] })',
  loadPolicy: 'loadPolicy("/nonexistent.json")',
  explain: "explain(1)",
  Config: "new Config({})",
  FsRule: 'new FsRule({ access: ["nothing"] })',
  NetRule: "new NetRule({ ports: [-1] })",
  CompositeRule: "new CompositeRule([1])",
  "landlock.config": 'landlock.config({ fs: ["nothing"] })',
  "permissions.has": 'permissions.has("nothing")',
  "presets.executable": 'presets.executable("no-such-program")',
  "presets.modules": 'presets.modules("/nonexistent.ts")',
  "presets.bun": "presets.bun({ nothing: 1 })",
  "presets.dns": "presets.dns({ nothing: 1 })",
  "presets.cwd": "presets.cwd({ nothing: 1 })",
  "config.bestEffort": "landlock.V1.bestEffort({ atLeast: 0.5 })",
  "config.restrictPaths": 'landlock.V1.restrictPaths(roDirs("/nonexistent"))',
  "config.restrictNet": "landlock.V1.restrictNet()",
  "config.restrictScoped": "landlock.V1.restrictScoped()",
  "config.restrict": 'landlock.V1.restrict(roDirs("/nonexistent"))',
  "config.plan": "landlock.V1.plan(bindTcp(1))",
  "config.ruleset": 'landlock.V1.ruleset(roDirs("/nonexistent"))',
  "ruleset.restrictSelf": "ruleset.restrictSelf({ deadlineMs: -1 })",
  "ruleset.spawn": 'ruleset.spawn(["no-such-program"])',
  "ruleset.spawnSync": 'ruleset.spawnSync(["no-such-program"])',
  "ruleset.spawn, in the child": 'ruleset.spawn(["/etc/passwd"])',
  ...(kernelAbi < 11 ? { "policy.plan": "newest.plan()" } : {}),
  "policy.ruleset": "policy.ruleset()",
  "policy.restrict": "policy.restrict()",
};

/** Exports that throw no error of their own. */
const harmless = ["probe", "LandlockError", "Policy", "Ruleset"];
const presets = ["tls", "timezone", "tmp"];

const prelude = `
  import * as library from "bun-landlock";
  const { landlock, presets, permissions, roDirs, rwDirs, roFiles, rwFiles, pathAccess, bindTcp } = library;
  const { connectTcp, bindUdp, connectSendUdp, composite, planFor, parsePolicy, loadPolicy } = library;
  const { explain, Config, FsRule, NetRule, CompositeRule } = library;
  const ruleset = landlock.V1.bestEffort({ allowNone: true }).ruleset();
  const policy = parsePolicy({ abi: 1, ro: ["/nonexistent"] });
  const newest = parsePolicy({ abi: 11 });
`;

let folder = "";
beforeAll(async () => {
  folder = await installPacked();
  await Bun.write(join(folder, "names.ts"), script);
}, 60_000);

/** The first lines of each error's stack, by the name of the call. */
async function stacks(file: string, options?: readonly string[]): Promise<Record<string, string>> {
  const tried = Object.entries(calls).map(
    ([name, call]) =>
      `stacks[${JSON.stringify(name)}] = stackOf(function user() { const it = [${call}]; return it; });`,
  );
  const script = `${prelude}
    const stacks = {};
    const stackOf = (action) => { try { action(); return "no error"; } catch (error) { return error.stack; } };
    ${tried.join("\n")}
    const functions = Object.entries(library).filter(([, one]) => typeof one === "function");
    console.log(JSON.stringify({ stacks, functions: functions.map(([name]) => name), presets: Object.keys(presets) }));`;
  await Bun.write(join(folder, file), script);
  let program = file;
  if (options) {
    const built = run([process.execPath, "build", file, "--outdir=built", ...options], folder);
    expect(built.stderr).toBe("");
    program = `built/${file.replace(/ts$/, "js")}`;
  }
  const { stdout, stderr } = run([process.execPath, program], folder);
  expect(stderr).toBe("");
  const seen = JSON.parse(stdout);
  const missed = (seen.functions as string[]).filter((name) => !calls[name]);
  expect(missed.sort()).toEqual(harmless.sort());
  const named = (seen.presets as string[]).filter((name) => !calls[`presets.${name}`]);
  expect(named.filter((name) => !presets.includes(name))).toEqual([]);
  return seen.stacks;
}

const missing = kernelAbi === 0 ? "needs Landlock" : "";

testUnless(
  missing,
  "each public function's error begins with the line that called it",
  async () => {
    const seen = await stacks("calls.ts");
    for (const [name, stack] of Object.entries(seen)) {
      const frames = stack.split("\n").filter((line) => line.startsWith("    at "));
      expect(`${name}: ${frames[0]}`).toMatch(/: {5}at user \(.*\/calls\.ts:\d+:\d+\)$/);
      expect(`${name}: ${stack}`).not.toContain("bun-landlock/dist");
      expect(stack).toStartWith("LandlockError: ");
      expect(stack.length).toBeLessThan(1500);
    }
    expect(Object.keys(seen)).toEqual(Object.keys(calls));
  },
);

for (const format of ["esm", "cjs"]) {
  testUnless(missing, `so it does in a ${format} bundle of the program`, async () => {
    const seen = await stacks("calls.ts", ["--target=bun", `--format=${format}`]);
    for (const [name, stack] of Object.entries(seen)) {
      const first = stack.split("\n").find((line) => line.startsWith("    at "));
      expect(`${name}: ${first}`).toContain("at user (");
    }
  });
}

describe("an error that nobody catches", () => {
  for (const name of ["bindTcp", "config.restrictPaths", "presets.executable", "policy.restrict"]) {
    testUnless(missing, `of ${name} prints the program's line and little else`, async () => {
      await Bun.write(
        join(folder, "uncaught.ts"),
        `${prelude}\nconst it = ${calls[name]};\nconsole.log(it);\n`,
      );
      const { stdout, stderr, code } = run([process.execPath, "uncaught.ts"], folder);
      expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
      expect(stderr).toContain(`const it = ${calls[name]}`);
      expect(stderr).not.toContain("dist/");
      expect(stderr.length).toBeLessThan(3000);
    });
  }
});

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
