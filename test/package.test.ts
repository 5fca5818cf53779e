/** The published package as users use it: packed, installed in an empty folder, compiled. */
import { beforeAll, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { policyJsonSchema } from "../src/validate/schemas/json-schema.ts";
import { kernelAbi, run, tempDir, testFromAbi, testUnless } from "./harness.ts";
import { needsStrace } from "./observe/strace.ts";
import { installPacked } from "./packed.ts";
import { registryMissing, tool } from "./registry.ts";

const root = join(import.meta.dir, "..");
let folder = "";
let installed = "";

function bun(...args: string[]) {
  return run([process.execPath, ...args], folder);
}

beforeAll(async () => {
  folder = await installPacked();
  installed = join(folder, "node_modules", "bun-landlock");
}, 60_000);

test("the package runs nothing when it is installed, and installs nothing else", async () => {
  const manifest = await Bun.file(join(installed, "package.json")).json();
  expect(manifest.dependencies).toBeUndefined();
  const scripts = Object.keys(manifest.scripts);
  expect(scripts.filter((name) => /install|prepare|pack|publish/.test(name))).toEqual([]);
  const visible = (path: string) => readdirSync(path).filter((name) => !name.startsWith("."));
  expect(visible(join(folder, "node_modules"))).toEqual(["bun-landlock"]);
});

test("the declarations type-check in a strict project, and refuse what is wrong", async () => {
  const options = { strict: true, module: "preserve", moduleResolution: "bundler", noEmit: true };
  const compilerOptions = { ...options, types: [join(root, "node_modules/bun-types")] };
  await Bun.write(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  const good = `import { landlock, roDirs, type Report } from "bun-landlock";
    export const restrict = (): Report => landlock.V11.bestEffort().restrictPaths(roDirs("/usr"));`;
  await Bun.write(join(folder, "good.ts"), good);
  expect(bun("check", "good.ts")).toMatchObject({ code: 0 });
  await Bun.write(join(folder, "bad.ts"), good.replace('roDirs("/usr")', '"/usr"'));
  expect(bun("check", "bad.ts")).toMatchObject({ code: 1 });
});

const script = `
  import {
    bindTcp, Config, explain, FsRule, landlock, LandlockError, loadPolicy, parsePolicy, permissions, presets, probe, roDirs, rwFiles,
  } from "bun-landlock";
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
  try { readFileSync("/etc/passwd"); } catch (e) {
    const { cause, fixes } = explain(e);
    result.explained = [cause, fixes[0].code, fixes[0].rule instanceof FsRule, permissions.has("fs.read", "/usr")];
  }
  result.unexplained = outcome(() => explain(1));
  using inner = landlock.V1.ruleset(...rules);
  result.nested = inner.spawnSync(["cat", "/usr/bin/env"], { stdout: "ignore" }).exitCode;
  result.invalid = outcome(() => bindTcp(70000));
  const policy = parsePolicy({ abi: 1, ro: ["/usr"], variables: { A: "a" }, paths: [] });
  result.policy = [policy.config instanceof Config, policy.rules[0] instanceof FsRule];
  result.invalidPolicy = outcome(() => parsePolicy({ rwx: [] }));
  result.unreadablePolicy = outcome(() => loadPolicy("/etc/policy.json"));
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
  explained: ["landlock", 'roFiles("/etc/passwd")', true, true],
  unexplained: "ERR_LANDLOCK_INVALID_RULE",
  nested: 0,
  invalid: "ERR_LANDLOCK_INVALID_RULE",
  policy: [true, true],
  invalidPolicy: "ERR_LANDLOCK_INVALID_POLICY",
  unreadablePolicy: "ERR_LANDLOCK_PATH",
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

testFromAbi(
  1,
  "the installed command loads no module of Node before it starts another one",
  async () => {
    const text = `const load = process.getBuiltinModule;
    process.getBuiltinModule = (name) => { console.log(name); return load.call(process, name); };`;
    await Bun.write(join(folder, "loads.js"), text);
    const cli = join(installed, "dist/cli.js");
    const { stdout, stderr } = bun("--preload", "./loads.js", cli, "-ro", "/", "--", "/bin/true");
    expect(stderr).toBe("");
    expect(new Set(stdout.trim().split("\n"))).toEqual(new Set(["bun:ffi"]));
  },
);

testFromAbi(
  1,
  "the installed preload sandboxes a program, by its flag and by bunfig.toml",
  async () => {
    const landlock = { bestEffort: true, ro: ["."] };
    await Bun.write(join(folder, "app/package.json"), JSON.stringify({ landlock }));
    const text = `try { require("node:fs").readFileSync("/etc/passwd"); console.log("read"); }
    catch (error) { console.log(error.code); }`;
    await Bun.write(join(folder, "app/main.js"), text);
    const main = join("app", "main.js");
    expect(bun(main).stdout).toBe("read\n");
    expect(bun("--preload", "bun-landlock/preload", main).stdout).toBe("EACCES\n");
    await Bun.write(join(folder, "app/bunfig.toml"), 'preload = ["bun-landlock/preload"]\n');
    const inside = run([process.execPath, "main.js"], join(folder, "app"));
    expect(inside).toEqual({ stdout: "EACCES\n", stderr: "", code: 0 });
    await Bun.write(join(folder, "app/package.json"), "{}");
    const without = run([process.execPath, "main.js"], join(folder, "app"));
    expect(without).toMatchObject({ stdout: "", code: 1 });
  },
);

testFromAbi(1, "explain() knows what the preload enforced", async () => {
  const landlock = { bestEffort: true, ro: [".."] };
  await Bun.write(join(folder, "explained/package.json"), JSON.stringify({ landlock }));
  const text = `import { explain } from "bun-landlock";
    import { readFileSync } from "node:fs";
    try { readFileSync("/etc/passwd"); } catch (error) { console.log(explain(error).cause); }`;
  await Bun.write(join(folder, "explained/main.js"), text);
  const main = join("explained", "main.js");
  expect(bun("--preload", "bun-landlock/preload", main)).toMatchObject({ stdout: "landlock\n" });
});

testFromAbi(1, "the installed command takes a policy", async () => {
  const policy = join(folder, "policy.json");
  const paths = [{ access: "ro", paths: ["/usr", "/bin", "/lib", "/lib64"], ifMissing: "skip" }];
  await Bun.write(policy, JSON.stringify({ abi: 1, paths }));
  const restricted = ["x", "--no-install", "landlock-restrict", "-policy", policy, "--"];
  expect(bun(...restricted, "cat", "/etc/passwd")).toMatchObject({ stdout: "", code: 1 });
  expect(bun(...restricted, "echo", "done")).toMatchObject({ stdout: "done\n", code: 0 });
});

testUnless(needsStrace, "the installed command explains", () => {
  const explained = ["x", "--no-install", "landlock-restrict", "explain", "--json"];
  const { stderr, code } = bun(
    ...explained,
    "-rw",
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "--",
    "cat",
    "/etc/passwd",
  );
  expect(code).toBe(1);
  const { denied } = JSON.parse(stderr.trimEnd().split("\n").at(-1)!);
  expect(denied).toContainEqual(
    expect.objectContaining({ program: "cat", flags: ["-rofiles", "/etc/passwd"] }),
  );
});

test("a bundler leaves out what a program imports and does not use", async () => {
  await Bun.write(join(folder, "unused.js"), `import { landlock } from "bun-landlock";`);
  await Bun.write(join(folder, "used.js"), `import "bun-landlock/preload";`);
  const built = (name: string) => {
    expect(bun("build", "--target=bun", "--outdir=built", `${name}.js`)).toMatchObject({ code: 0 });
    return Bun.file(join(folder, "built", `${name}.js`)).size;
  };
  expect(built("unused")).toBeLessThan(500);
  expect(built("used")).toBeGreaterThan(50_000);
});

test("the schema of policies is there, and up to date", async () => {
  const path = Bun.resolveSync("bun-landlock/policy.schema.json", folder);
  const schema = JSON.parse(JSON.stringify(policyJsonSchema()));
  expect(await Bun.file(path).json()).toEqual(schema);
});

for (const bin of ["landlock-restrict", "bun-landlock"]) {
  test(`bunx runs ${bin} from the installed package`, () => {
    const { stdout } = bun("x", "--no-install", bin, "status", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ abi: kernelAbi });
  });
}

const missing = kernelAbi < 1 ? "needs Landlock" : registryMissing;
let project = "";
let home = "";
let environment: Record<string, string> = {};

beforeAll(async () => {
  if (missing) return;
  project = await installPacked();
  home = join(project, "home");
  for (const name of ["home/.bun", "home/.ssh", "tmp", "bin", "work"]) {
    mkdirSync(join(project, name), { recursive: true });
  }
  await Bun.write(join(home, ".ssh/id_test"), "secret");
  // The setting that names the registry.
  const settings = join(homedir(), ".npmrc");
  if (existsSync(settings)) copyFileSync(settings, join(home, ".npmrc"));
  // Most tools start `node`, and Bun acts as Node.js under that name.
  for (const name of ["bun", "bunx", "node"]) {
    symlinkSync(process.execPath, join(project, "bin", name));
  }
  environment = {
    ...(process.env as Record<string, string>),
    HOME: home,
    TMPDIR: join(project, "tmp"),
    PATH: `${join(project, "bin")}:${process.env["PATH"]}`,
  };
}, 60_000);

/** A separate folder, because the one above contains the home. */
function restricted(...command: string[]) {
  const presets = ["bun=children", "dns", "tls", "executable=bunx", "executable=env"];
  const options = [
    ...["-preset", ...presets, "-rw", "+refer", join(home, ".bun"), join(project, "tmp")],
    ...["-ro", join(project, "work"), "-rofiles", join(home, ".npmrc")],
  ];
  const cwd = join(project, "work");
  const tool = join(project, "node_modules/.bin/landlock-restrict");
  const settings = existsSync(join(home, ".npmrc")) ? options : options.slice(0, -2);
  return run([tool, ...settings, "--", ...command], cwd, environment);
}

testUnless(
  missing,
  "landlock-restrict -preset lets bunx fetch and run a tool of the registry",
  () => {
    const seen = restricted("bunx", "--bun", tool, "1.2.3", "-i", "minor");
    expect(seen).toMatchObject({ stdout: "1.3.0\n", code: 0 });
  },
  90_000,
);

testUnless(
  missing,
  "and nothing that runs there can read ~/.ssh",
  () => {
    const key = join(home, ".ssh/id_test");
    const probe = `try { console.log(require("node:fs").readFileSync(${JSON.stringify(key)}, "utf8")) } catch (e) { console.log(e.code) }`;
    expect(run([process.execPath, "-e", probe], home).stdout).toBe("secret\n");
    expect(restricted("bun", "-e", probe)).toMatchObject({ stdout: "EACCES\n", code: 0 });
  },
  90_000,
);
