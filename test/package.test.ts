/** The published form, used as users use it: packed, installed in an empty folder, compiled. */
import { beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { kernelAbi, tempDir, testFromAbi } from "./harness.ts";

const root = join(import.meta.dir, "..");
const folder = tempDir();
const installed = join(folder, "node_modules", "bun-landlock");

function run(command: string[], cwd = folder) {
  const done = Bun.spawnSync(command, { cwd, timeout: 60_000 });
  const { exitCode: code } = done;
  return { stdout: done.stdout.toString(), stderr: done.stderr.toString(), code };
}

function bun(...args: string[]) {
  return run([process.execPath, ...args]);
}

beforeAll(async () => {
  const steps = [
    run([process.execPath, "run", "build"], root),
    run([process.execPath, "pm", "pack", "--filename", join(folder, "package.tgz")], root),
    (await Bun.write(join(folder, "package.json"), "{}"), bun("add", "./package.tgz")),
  ];
  for (const { code, stderr } of steps) if (code !== 0) throw new Error(stderr);
}, 60_000);

test("the package holds the bundles, the declarations and lib/, and installs nothing else", async () => {
  const manifest = await Bun.file(join(installed, "package.json")).json();
  expect(manifest.dependencies).toBeUndefined();
  const scripts = Object.keys(manifest.scripts);
  expect(scripts.filter((name) => /install|prepare|pack|publish/.test(name))).toEqual([]);
  const visible = (path: string) => readdirSync(path).filter((name) => !name.startsWith("."));
  expect(visible(join(folder, "node_modules"))).toEqual(["bun-landlock"]);
  expect(visible(installed).sort()).toEqual([
    "LICENSE",
    "README.md",
    "dist",
    "lib",
    "package.json",
  ]);
  expect(readdirSync(join(installed, "dist")).sort()).toEqual(["cli.js", "index.js", "types"]);
});

test("the packed native files are those of the tree, byte for byte", async () => {
  for (const cpu of ["linux-x64", "linux-arm64"]) {
    const file = join("lib", "prebuilt", cpu, "liblandlock.so");
    const packed = await Bun.file(join(installed, file)).bytes();
    expect(packed).toEqual(await Bun.file(join(root, file)).bytes());
  }
});

test("the declarations type-check in a strict project, and refuse what is wrong", async () => {
  const options = { strict: true, module: "preserve", moduleResolution: "bundler", noEmit: true };
  const compilerOptions = { ...options, types: [join(root, "node_modules/@types/bun")] };
  await Bun.write(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  const good = `import { landlock, roDirs, type Report } from "bun-landlock";
    export const restrict = (): Report => landlock.V11.bestEffort().restrictPaths(roDirs("/usr"));`;
  await Bun.write(join(folder, "good.ts"), good);
  expect(bun("check", "good.ts")).toMatchObject({ code: 0 });
  await Bun.write(join(folder, "bad.ts"), good.replace('roDirs("/usr")', '"/usr"'));
  expect(bun("check", "bad.ts")).toMatchObject({ code: 1 });
});

const script = `
  import { landlock, bindTcp, FsRule, LandlockError, presets, probe, roDirs, rwFiles } from "bun-landlock";
  import { readFileSync } from "node:fs";
  const outcome = (f) => { try { f(); return "ok"; } catch (e) { return e.code; } };
  const status = () => readFileSync("/proc/self/status", "utf8").match(/NoNewPrivs:\\s*(\\d)/)[1];
  const result = { before: outcome(() => readFileSync("/etc/passwd")) };
  const rules = [roDirs("/usr", "/bin", "/lib", "/proc"), roDirs("/lib64").ignoreIfMissing(), rwFiles("/dev/null")];
  {
    using ruleset = landlock.V1.ruleset(...rules);
    result.child = ruleset.spawnSync(["cat", "/etc/passwd"], { stderr: "ignore" }).exitCode;
    result.parent = [outcome(() => readFileSync("/etc/passwd")), status()];
  }
  {
    const rule = presets.executable("cat");
    using ruleset = landlock.V1.ruleset(rule, presets.bun());
    result.preset = ruleset.spawnSync(["cat", "/dev/null"]).exitCode;
    result.own = rule.rules[0] instanceof FsRule;
    try { presets.executable("no-such-program"); } catch (e) { result.error = e instanceof LandlockError; }
  }
  const report = landlock.V11.bestEffort().restrictPaths(...rules);
  result.threads = report.threads.count > 1;
  result.after = outcome(() => readFileSync("/etc/passwd"));
  using inner = landlock.V1.ruleset(...rules);
  result.nested = inner.spawnSync(["cat", "/usr/bin/env"], { stdout: "ignore" }).exitCode;
  result.invalid = outcome(() => bindTcp(70000));
  console.log(JSON.stringify(result));`;

const expected = {
  before: "ok",
  child: 1,
  parent: ["ok", "0"],
  preset: 0,
  own: true,
  error: true,
  threads: true,
  after: "EACCES",
  nested: 0,
  invalid: "ERR_LANDLOCK_INVALID_RULE",
};

testFromAbi(
  1,
  "the installed package restricts, spawns, nests, has presets and explains bad input",
  async () => {
    await Bun.write(join(folder, "script.ts"), script);
    const { stdout, stderr } = bun("script.ts");
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual(expected);
  },
);

testFromAbi(1, "a compiled program does the same, from a folder without the package", async () => {
  await Bun.write(join(folder, "script.ts"), script);
  const program = join(tempDir(), "program");
  const built = bun("build", "--compile", "script.ts", "--outfile", program);
  expect(built).toMatchObject({ code: 0 });
  const { stdout, stderr } = run([program], "/");
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual(expected);
});

for (const bin of ["landlock-restrict", "bun-landlock"]) {
  test(`bunx runs ${bin} from the installed package`, () => {
    const { stdout } = bun("x", "--no-install", bin, "status", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ abi: kernelAbi });
  });
}
