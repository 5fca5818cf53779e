/** Types of rules, presets and settings, checked by `bun check`. */
import { expect, expectTypeOf, test } from "bun:test";
import {
  bindTcp,
  bindUdp,
  connectSendUdp,
  connectTcp,
  explain,
  landlock,
  pathAccess,
  permissions,
  presets,
  probe,
  roDirs,
  roFiles,
  rwDirs,
  rwFiles,
  type AccessDeniedError,
  type BestEffortOptions,
  type BunOptions,
  type Cause,
  type CompositeRule,
  type CompositeRuleData,
  type Config,
  type ConfigRights,
  type CwdOptions,
  type Denial,
  type DnsOptions,
  type ExplainOptions,
  type Explanation,
  type ExplanationData,
  type Fix,
  type FsRight,
  type FsRule,
  type FsRuleData,
  type Kernel,
  type LayerLike,
  type NetRight,
  type NetRule,
  type NetRuleData,
  type NodePermission,
  type PathLike,
  type PermissionScope,
  type Plan,
  type Probe,
  type Report,
  type RestrictSelfOptions,
  type Rule,
  type Ruleset,
  type Scope,
} from "../src/index.ts";

test("constructors of path rules take paths, those of port rules numbers", () => {
  expectTypeOf<PathLike>().toEqualTypeOf<string | URL>();
  const calls = (
    paths: PathLike[],
    ports: number[],
    port: 80 | 443,
    one: boolean,
    untyped: ReturnType<typeof JSON.parse>,
  ) => {
    for (const make of [roDirs, rwDirs, roFiles, rwFiles]) {
      expectTypeOf(make("/a", new URL("file:///b"))).toEqualTypeOf<FsRule>();
      expectTypeOf(make(...paths)).toEqualTypeOf<FsRule>();
      make("/a", ...paths);
      make(...(one ? ["/a"] : []));
      make(...(one ? [] : ["/b", new URL("file:///c")]));
      make(...new Set(["/a"]));
      make(untyped);
      make(...untyped);
    }
    expectTypeOf(pathAccess(["execute"], "/a", ...paths)).toEqualTypeOf<FsRule>();
    pathAccess(["execute"], ...(one ? ["/a"] : []));
    for (const make of [bindTcp, connectTcp, bindUdp, connectSendUdp]) {
      expectTypeOf(make(0, 80, 9999, 10000, 59999, 60000, 64999, 65535)).toEqualTypeOf<NetRule>();
      expectTypeOf(make(...ports)).toEqualTypeOf<NetRule>();
      make(65499, 65500, 65529, 65530);
      make();
      make(port, ports[0]!, one ? 80 : 443);
      make(...(one ? [80] : []));
      make(untyped);
    }
    const wrapped: (...paths: string[]) => FsRule = roDirs;
    return wrapped;
  };
  expect(calls).toBeFunction();
});

test("restrictPaths() and restrictNet() take lists of rules, whatever is in them", () => {
  const calls = (config: Config, rules: Rule[], bundle: CompositeRule, one: boolean) => {
    config.restrictPaths(roDirs("/a"), bundle, ...rules);
    config.restrictPaths(...rules);
    config.restrictPaths();
    config.restrictPaths(...(one ? [bundle] : []));
    config.restrictPaths(...(one ? [bundle] : [roDirs("/a")]));
    config.restrictNet(bindTcp(1), bundle, ...rules);
    config.restrictNet(...(one ? [] : [bindTcp(1)]));
    expectTypeOf(config.restrictNet()).toEqualTypeOf<Report>();
  };
  expect(calls).toBeFunction();
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
    // @ts-expect-error "give paths one by one: ...list"
    roDirs(["/a"]);
    // @ts-expect-error the same behind another path
    rwFiles("/a", ["/b"]);
    // @ts-expect-error the same after rights
    pathAccess(["execute"], ["/b"]);
    // @ts-expect-error there is no path
    roDirs();
    // @ts-expect-error there is no path
    pathAccess(["execute"]);
    // @ts-expect-error this may be undefined
    roDirs(process.env["HOME"]);
    // @ts-expect-error "a port is an integer from 0 to 65535"
    bindTcp(99999);
    // @ts-expect-error the same
    connectTcp(80, 65536);
    // @ts-expect-error the same
    bindUdp(-1);
    // @ts-expect-error the same
    bindUdp(1.5);
    // @ts-expect-error the same
    bindUdp(100000);
    // @ts-expect-error the same
    bindUdp(65540);
    // @ts-expect-error the same
    bindUdp(65600);
    // @ts-expect-error the same
    bindUdp(66000);
    // @ts-expect-error the same
    bindUdp(70000);
    // @ts-expect-error a list
    connectSendUdp([53]);
    // @ts-expect-error "restrictPaths() takes no ports: use restrict()"
    config.restrictPaths(bindTcp(80));
    // @ts-expect-error the same
    config.restrictPaths(roDirs("/a"), bindTcp(80));
    // @ts-expect-error "restrictNet() takes no paths: use restrict()"
    config.restrictNet(roDirs("/a"));
    // @ts-expect-error a list
    config.restrictPaths([roDirs("/a")]);
    // @ts-expect-error a right of another family
    pathAccess(["bind_tcp"], "/a");
    // @ts-expect-error read-only
    rule.kind = "net";
    // @ts-expect-error a Config is no list of rules
    config.restrict(config);
  };
  expect(mistakes).toBeFunction();
});

test("explain() takes anything, and returns an Explanation, read-only throughout", () => {
  expectTypeOf(explain).parameters.toEqualTypeOf<[unknown, (ExplainOptions | undefined)?]>();
  expectTypeOf(explain).returns.toEqualTypeOf<Explanation>();
  expectTypeOf<Explanation>().toExtend<ExplanationData>();
  expectTypeOf<ExplanationData>().toEqualTypeOf<Readonly<ExplanationData>>();
  type Known = "landlock" | "permission" | "missing" | "other";
  expectTypeOf<Cause>().toEqualTypeOf<Known | "allowed" | "unknown">();
  expectTypeOf<Explanation["denials"]>().toEqualTypeOf<readonly Denial[]>();
  expectTypeOf<Denial["right"]>().toEqualTypeOf<FsRight | NetRight | Scope>();
  expectTypeOf<Denial>().toEqualTypeOf<Readonly<Denial>>();
  expectTypeOf<Explanation["fixes"]>().toEqualTypeOf<readonly Fix[]>();
  expectTypeOf<Fix["rule"]>().toEqualTypeOf<Rule | undefined>();
  expectTypeOf<Fix>().toEqualTypeOf<Readonly<Fix>>();
});

test("explain() can be asked by a Plan, a Report, or what holds a plan", () => {
  expectTypeOf<Plan>().toExtend<LayerLike>();
  expectTypeOf<Report>().toExtend<LayerLike>();
  expectTypeOf<Pick<ExplainOptions, "path" | "port">>().toEqualTypeOf<{
    readonly path?: PathLike;
    readonly port?: number;
  }>();
});

test("permissions are asked in Node's words, and told in them", () => {
  expectTypeOf(permissions.has).toEqualTypeOf<
    (scope: PermissionScope, reference?: PathLike | number) => boolean
  >();
  expectTypeOf<FsRight | NetRight | Scope>().toExtend<PermissionScope>();
  expectTypeOf<AccessDeniedError>().toExtend<Error>();
  expectTypeOf<AccessDeniedError["permission"]>().toEqualTypeOf<NodePermission>();
  expectTypeOf<AccessDeniedError["code"]>().toEqualTypeOf<"ERR_ACCESS_DENIED">();
});
