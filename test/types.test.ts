/** Types, checked by `bun check`: unions of names, read-only results, type errors. */
import { describe, expect, expectTypeOf, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  accessFs,
  accessNet,
  bindTcp,
  composite,
  landlock,
  loadPolicy,
  parsePolicy,
  pathAccess,
  planFor,
  probe,
  roDirs,
  scopes,
  type AbiUse,
  type CompositeRule,
  type Config,
  type ConfigData,
  type FsRight,
  type FsRule,
  type FsRuleData,
  type Kernel,
  type KernelState,
  type LandlockError,
  type LandlockErrorCode,
  type LogFlag,
  type NetRight,
  type NetRule,
  type NetRuleData,
  type PathRule,
  type Plan,
  type Policy,
  type PolicyOptions,
  type PortRule,
  type Report,
  type RestrictFlag,
  type Rights,
  type Rule,
  type Ruleset,
  type Scope,
  type ThreadReport,
  type Unenforced,
  type Ungranted,
} from "../src/index.ts";
import { linuxOf, newestAbi, rightsOf } from "../src/kernel/abi.ts";
import { tempDir } from "./harness.ts";

type FileRight = "execute" | "write_file" | "read_file" | "truncate" | "ioctl_dev" | "resolve_unix";
type Make = "char" | "dir" | "reg" | "sock" | "fifo" | "block" | "sym";
type DirRight = "read_dir" | "remove_dir" | "remove_file" | "refer" | `make_${Make}`;

test("the names of rights are unions of the kernel's names", () => {
  expectTypeOf<FsRight>().toEqualTypeOf<FileRight | DirRight>();
  expectTypeOf<NetRight>().toEqualTypeOf<
    `${"bind" | "connect"}_tcp` | "bind_udp" | "connect_send_udp"
  >();
  expectTypeOf<Scope>().toEqualTypeOf<"abstract_unix_socket" | "signal">();
  expectTypeOf<LogFlag>().toEqualTypeOf<
    "log_same_exec_off" | "log_new_exec_on" | "log_subdomains_off"
  >();
  expectTypeOf<RestrictFlag>().toEqualTypeOf<LogFlag | "tsync" | "no_new_privs">();
  expectTypeOf(accessFs).toEqualTypeOf<readonly FsRight[]>();
  expectTypeOf(accessNet).toEqualTypeOf<readonly NetRight[]>();
  expectTypeOf(scopes).toEqualTypeOf<readonly Scope[]>();
});

test("the states and codes are unions of literals", () => {
  type Why = "disabled" | "unsupported" | "blocked" | "not-linux";
  expectTypeOf<KernelState>().toEqualTypeOf<"enabled" | Why>();
  expectTypeOf(probe()).toExtend<Kernel>();
  expectTypeOf(probe().remedy).toEqualTypeOf<string>();
  type Threads = `THREADS_${"UNREACHABLE" | "DIVERGED"}`;
  type State = "UNSUPPORTED" | "DISABLED" | "BLOCKED" | "NOT_LINUX" | "ABI_TOO_OLD";
  type Mistake = "INVALID_RULE" | "INVALID_POLICY" | "USAGE" | "CLOSED";
  type Other = "PATH" | "TOO_MANY_LAYERS" | "NATIVE" | "SYSCALL";
  type Code = `ERR_LANDLOCK_${Threads | State | Mistake | Other}`;
  expectTypeOf<LandlockErrorCode>().toEqualTypeOf<Code>();
  expectTypeOf<LandlockError["code"]>().toEqualTypeOf<LandlockErrorCode>();
  expectTypeOf<LandlockError["errno"]>().toEqualTypeOf<number | undefined>();
});

test("constructors return their kind of rule, and each is a Rule", () => {
  expectTypeOf(roDirs("/a", new URL("file:///b"))).toEqualTypeOf<FsRule>();
  expectTypeOf(roDirs("/a").withRefer().withIoctlDev().withResolveUnix()).toEqualTypeOf<FsRule>();
  expectTypeOf(roDirs("/a").ignoreIfMissing().createIfMissing().quiet()).toEqualTypeOf<FsRule>();
  expectTypeOf(bindTcp(1).quiet()).toEqualTypeOf<NetRule>();
  expectTypeOf(composite(roDirs("/a"), composite())).toEqualTypeOf<CompositeRule>();
  expectTypeOf<FsRule | NetRule | CompositeRule>().toExtend<Rule>();
  expectTypeOf<FsRuleData | NetRuleData>().toExtend<Rule>();
});

test("a Plan is read-only throughout", () => {
  expectTypeOf<Plan["enforcement"]>().toEqualTypeOf<"full" | "partial" | "none">();
  expectTypeOf<Plan["abi"]>().toEqualTypeOf<AbiUse>();
  expectTypeOf<Plan["handled"]>().toEqualTypeOf<Rights>();
  expectTypeOf<Plan["unenforced"]>().toEqualTypeOf<Unenforced>();
  expectTypeOf<Plan["ungranted"]>().toEqualTypeOf<readonly Ungranted[]>();
  expectTypeOf<Plan["rules"]>().toEqualTypeOf<readonly (PathRule | PortRule)[]>();
  expectTypeOf<Plan["flags"]>().toEqualTypeOf<readonly RestrictFlag[]>();
  expectTypeOf<Plan["notCovered"]>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<Plan>().toEqualTypeOf<Readonly<Plan>>();
  expectTypeOf<PathRule>().toEqualTypeOf<Readonly<PathRule>>();
  expectTypeOf<PathRule["access"]>().toEqualTypeOf<readonly FsRight[]>();
  expectTypeOf<PortRule["access"]>().toEqualTypeOf<readonly NetRight[]>();
});

test("a Report is read-only throughout, and has the parts of its Plan", () => {
  type Shared = Pick<
    Plan,
    "enforcement" | "abi" | "handled" | "unenforced" | "ungranted" | "rules"
  >;
  expectTypeOf<Report>().toExtend<Shared & Pick<Plan, "notCovered">>();
  expectTypeOf<Report>().toEqualTypeOf<Readonly<Report>>();
  expectTypeOf<Report["skippedPaths"]>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<Report["createdPaths"]>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<Report["threads"]>().toEqualTypeOf<ThreadReport>();
  expectTypeOf<ThreadReport["method"]>().toEqualTypeOf<"tsync" | "broadcast" | "none">();
});

test("verbs are synchronous and return a Report, plan() a Plan, ruleset() a Ruleset", () => {
  expectTypeOf<ReturnType<Config["restrictPaths"]>>().toEqualTypeOf<Report>();
  expectTypeOf<ReturnType<Config["restrictNet"]>>().toEqualTypeOf<Report>();
  expectTypeOf<ReturnType<Config["restrictScoped"]>>().toEqualTypeOf<Report>();
  expectTypeOf<ReturnType<Config["restrict"]>>().toEqualTypeOf<Report>();
  expectTypeOf<Parameters<Config["restrictScoped"]>>().toEqualTypeOf<[]>();
  expectTypeOf<Parameters<Config["restrict"]>>().toEqualTypeOf<Rule[]>();
  expectTypeOf<ReturnType<Config["plan"]>>().toEqualTypeOf<Plan>();
  expectTypeOf<ReturnType<Config["ruleset"]>>().toEqualTypeOf<Ruleset>();
  expectTypeOf(landlock.V11.bestEffort({ atLeast: 3 })).toEqualTypeOf<Config>();
  expectTypeOf<Config>().toExtend<ConfigData>();
  expectTypeOf(planFor).parameters.toEqualTypeOf<[ConfigData, readonly Rule[], Kernel]>();
  expectTypeOf<ReturnType<Ruleset["restrictSelf"]>>().toEqualTypeOf<Report>();
  expectTypeOf<Ruleset>().toExtend<Disposable>();
});

test("a Policy is read-only, and has the verbs of a Config without their rules", () => {
  expectTypeOf(parsePolicy).parameters.toEqualTypeOf<[unknown, (PolicyOptions | undefined)?]>();
  expectTypeOf<PolicyOptions>().toEqualTypeOf<{ readonly base?: string }>();
  expectTypeOf(loadPolicy).parameters.toEqualTypeOf<[string | URL]>();
  expectTypeOf(loadPolicy).returns.toEqualTypeOf<Policy>();
  expectTypeOf<Policy["config"]>().toEqualTypeOf<Config>();
  expectTypeOf<Policy["rules"]>().toEqualTypeOf<readonly Rule[]>();
  expectTypeOf<Policy["plan"]>().toEqualTypeOf<() => Plan>();
  expectTypeOf<Policy["ruleset"]>().toEqualTypeOf<() => Ruleset>();
  expectTypeOf<Policy["restrict"]>().toEqualTypeOf<() => Report>();
});

test("spawn() and spawnSync() have the types of Bun's own", () => {
  const calls = (ruleset: Ruleset) => {
    const plain = ruleset.spawn(["true"]);
    expectTypeOf(plain).toEqualTypeOf<Bun.Subprocess<"ignore", "pipe", "inherit">>();
    expectTypeOf(plain.stdout).toEqualTypeOf(Bun.spawn(["true"]).stdout);
    const piped = ruleset.spawn(["true"], { stdin: "pipe", stdout: "inherit", stderr: "pipe" });
    expectTypeOf(piped).toEqualTypeOf<Bun.Subprocess<"pipe", "inherit", "pipe">>();
    expectTypeOf(piped.stdin).toEqualTypeOf<Bun.FileSink>();
    const done = ruleset.spawnSync(["true"]);
    expectTypeOf(done).toEqualTypeOf<Bun.SyncSubprocess<"pipe", "pipe">>();
    expectTypeOf(done.stdout.toString()).toEqualTypeOf<string>();
    const silent = ruleset.spawnSync(["true"], { stdout: "ignore" });
    expectTypeOf(silent.stdout).toEqualTypeOf<undefined>();
  };
  expect(calls).toBeFunction();
});

test("mistakes are type errors", () => {
  const mistakes = (plan: Plan, report: Report, rule: FsRule, config: Config) => {
    // @ts-expect-error there is no such right
    pathAccess(["reed"], "/a");
    // @ts-expect-error rights come first
    pathAccess("/a");
    // @ts-expect-error a path is no number
    roDirs(3);
    // @ts-expect-error a port is no string
    bindTcp("80");
    // @ts-expect-error a network right is no scope
    landlock.config({ scoped: ["bind_tcp"] });
    // @ts-expect-error there is no such key
    landlock.config({ ipc: [] });
    // @ts-expect-error there is no such setting
    landlock.V1.bestEffort({ atleast: 3 });
    // @ts-expect-error there is no V0
    void landlock.V0;
    // @ts-expect-error scopes take no rules
    config.restrictScoped(rule);
    // @ts-expect-error a rule goes in, a list of them does not
    config.restrictPaths([rule]);
    // @ts-expect-error a port rule has no refer
    bindTcp(1).withRefer();
    // @ts-expect-error read-only
    plan.enforcement = "full";
    // @ts-expect-error read-only
    plan.handled.fs.push("execute");
    // @ts-expect-error read-only
    report.threads.count = 1;
    // @ts-expect-error read-only
    report.skippedPaths.push("/a");
    // @ts-expect-error read-only
    rule.paths[0] = "/b";
    // @ts-expect-error read-only
    config.mode = "strict";
  };
  expect(mistakes).toBeFunction();
});

const root = join(import.meta.dir, "..");

test("mistakes in calls are type errors that say what to do, each on its own line", async () => {
  const folder = tempDir();
  const config = await Bun.file(join(root, "tsconfig.json")).json();
  const compilerOptions = {
    ...config.compilerOptions,
    types: [join(root, "node_modules/bun-types")],
  };
  const include = ["*.ts", join(root, "src/kernel/so.d.ts")];
  await Bun.write(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include }));
  const mistakes = [
    ['roDirs(["/usr"]);', "give paths one by one: ...list"],
    ['pathAccess(["execute"], ["/usr"]);', "give paths one by one: ...list"],
    ["roDirs();", "Expected 1 arguments, but got 0"],
    ["roDirs(3);", "'number' is not assignable to parameter of type 'PathLike'"],
    ["bindTcp(99999);", "a port is an integer from 0 to 65535"],
    ["bindTcp(-1);", "a port is an integer from 0 to 65535"],
    ['bindTcp("80");', "'string' is not assignable to parameter of type 'number'"],
    ["landlock.V4.restrictPaths(bindTcp(80));", "restrictPaths() takes no ports: use restrict()"],
    ['landlock.V4.restrictNet(roDirs("/"));', "restrictNet() takes no paths: use restrict()"],
  ];
  const names = "bindTcp, landlock, pathAccess, roDirs";
  const lines = mistakes.map(([line]) => line);
  const code = `import { ${names} } from "${join(root, "src/index.ts")}";\n${lines.join("\n")}\n`;
  await Bun.write(join(folder, "mistakes.ts"), code);
  const { stdout } = Bun.spawnSync([process.execPath, "check"], { cwd: folder });
  const errors = stdout
    .toString()
    .split("\n")
    .filter((line) => /^mistakes\.ts/.test(line));
  expect(errors).toHaveLength(mistakes.length);
  for (const [i, [, sentence]] of mistakes.entries()) {
    expect(errors[i]).toStartWith(`mistakes.ts(${i + 2},`);
    expect(errors[i]).toContain(sentence!);
    expect(errors[i]!.length).toBeLessThan(200);
  }
});

describe("on hover", () => {
  const text = readFileSync(join(root, "src/sandbox/config.ts"), "utf8");
  for (let abi = 1; abi <= newestAbi; abi++) {
    test(`V${abi} says its Linux version, and what it adds`, () => {
      const [, doc] =
        new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*get V${abi}\\(\\)`).exec(text) ?? [];
      const words = doc!.replaceAll(/\s*\n\s*\* ?/g, " ");
      expect(words).toContain(`Linux ${linuxOf(abi)}: ${abi > 1 ? `V${abi - 1}` : ""}`);
      const of = (one: number) => Object.values(rightsOf(one)).flat() as string[];
      const all = of(newestAbi);
      const added = of(abi).filter((right) => !of(abi - 1).includes(right));
      const named = [...words.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
      expect(named.filter((name) => all.includes(name)).sort()).toEqual(added.sort());
    });
  }
});
