/** Types of rules, presets and settings, which `bun check` judges. */
import { expect, expectTypeOf, test } from "bun:test";
import {
  bindTcp,
  bindUdp,
  connectSendUdp,
  connectTcp,
  landlock,
  pathAccess,
  presets,
  probe,
  roDirs,
  roFiles,
  rwDirs,
  rwFiles,
  type BestEffortOptions,
  type BunOptions,
  type CompositeRule,
  type CompositeRuleData,
  type Config,
  type ConfigRights,
  type CwdOptions,
  type DnsOptions,
  type FsRight,
  type FsRule,
  type FsRuleData,
  type Kernel,
  type NetRight,
  type NetRule,
  type NetRuleData,
  type PathLike,
  type Probe,
  type RestrictSelfOptions,
  type Rule,
  type Ruleset,
  type Scope,
} from "../src/index.ts";

test("constructors of path rules take paths, those of port rules numbers", () => {
  expectTypeOf<PathLike>().toEqualTypeOf<string | URL>();
  type FromPaths = (...paths: PathLike[]) => FsRule;
  expectTypeOf(roDirs).toEqualTypeOf<FromPaths>();
  expectTypeOf(rwDirs).toEqualTypeOf<FromPaths>();
  expectTypeOf(roFiles).toEqualTypeOf<FromPaths>();
  expectTypeOf(rwFiles).toEqualTypeOf<FromPaths>();
  expectTypeOf(pathAccess).toEqualTypeOf<
    (rights: readonly FsRight[], ...paths: PathLike[]) => FsRule
  >();
  type FromPorts = (...ports: number[]) => NetRule;
  expectTypeOf(bindTcp).toEqualTypeOf<FromPorts>();
  expectTypeOf(connectTcp).toEqualTypeOf<FromPorts>();
  expectTypeOf(bindUdp).toEqualTypeOf<FromPorts>();
  expectTypeOf(connectSendUdp).toEqualTypeOf<FromPorts>();
});

test("a Rule is told apart by its kind, and is read-only", () => {
  expectTypeOf<Rule["kind"]>().toEqualTypeOf<"fs" | "net" | "composite">();
  expectTypeOf<Extract<Rule, { kind: "composite" }>>().toEqualTypeOf<CompositeRuleData>();
  expectTypeOf<CompositeRuleData["rules"]>().toEqualTypeOf<readonly Rule[]>();
  expectTypeOf<CompositeRuleData>().toEqualTypeOf<Readonly<CompositeRuleData>>();
  expectTypeOf<FsRuleData>().toEqualTypeOf<Readonly<FsRuleData>>();
  expectTypeOf<NetRuleData>().toEqualTypeOf<Readonly<NetRuleData>>();
  expectTypeOf<FsRuleData["access"]>().toEqualTypeOf<readonly FsRight[]>();
  expectTypeOf<NetRuleData["ports"]>().toEqualTypeOf<readonly number[]>();
});

test("presets return rules, and take what their name says", () => {
  expectTypeOf<ReturnType<(typeof presets)[keyof typeof presets]>>().toExtend<Rule>();
  expectTypeOf(presets.executable).toEqualTypeOf<(...names: string[]) => CompositeRule>();
  expectTypeOf(presets.modules).toEqualTypeOf<(...entries: string[]) => CompositeRule>();
  expectTypeOf(presets.bun).parameters.toEqualTypeOf<[(BunOptions | undefined)?]>();
  expectTypeOf(presets.dns).parameters.toEqualTypeOf<[(DnsOptions | undefined)?]>();
  expectTypeOf(presets.cwd).parameters.toEqualTypeOf<[(CwdOptions | undefined)?]>();
  expectTypeOf<BunOptions>().toEqualTypeOf<{ readonly children?: boolean }>();
  expectTypeOf<DnsOptions>().toEqualTypeOf<{ readonly ports?: boolean }>();
  expectTypeOf<CwdOptions>().toEqualTypeOf<{ readonly write?: boolean }>();
});

test("settings are optional throughout", () => {
  expectTypeOf<Config["bestEffort"]>().parameters.toEqualTypeOf<
    [(BestEffortOptions | undefined)?]
  >();
  expectTypeOf<BestEffortOptions>().toEqualTypeOf<{
    readonly atLeast?: number | undefined;
    readonly allowNone?: boolean | undefined;
  }>();
  expectTypeOf<Ruleset["restrictSelf"]>().parameters.toEqualTypeOf<
    [(RestrictSelfOptions | undefined)?]
  >();
  expectTypeOf<RestrictSelfOptions>().toEqualTypeOf<{ readonly deadlineMs?: number }>();
  expectTypeOf(landlock.config).toEqualTypeOf<(rights: ConfigRights) => Config>();
  expectTypeOf<ConfigRights>().toEqualTypeOf<{
    readonly fs?: readonly FsRight[];
    readonly net?: readonly NetRight[];
    readonly scoped?: readonly Scope[];
  }>();
});

test("a Probe is a Kernel with a remedy, which always says what is missing", () => {
  expectTypeOf(probe).toEqualTypeOf<() => Probe>();
  expectTypeOf<Omit<Probe, "remedy" | "missing">>().toEqualTypeOf<Omit<Kernel, "missing">>();
  expectTypeOf<Probe>().toExtend<Kernel>();
  expectTypeOf<Probe["abi"]>().toEqualTypeOf<number>();
});

test("mistakes are type errors", () => {
  const mistakes = (config: Config, rule: Rule) => {
    // @ts-expect-error a preset's setting by another name
    presets.bun({ child: true });
    // @ts-expect-error there is no such preset
    void presets.node;
    // @ts-expect-error rules come one by one
    roDirs(["/a"]);
    // @ts-expect-error a right of another family
    pathAccess(["bind_tcp"], "/a");
    // @ts-expect-error read-only
    rule.kind = "net";
    // @ts-expect-error a Config is no list of rules
    config.restrict(config);
  };
  expect(mistakes).toBeFunction();
});
