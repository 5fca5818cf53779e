/**
 * Properties of the plan for any Config, rules and kernel. Each run draws anew; a failure prints
 * its seed, and `LANDLOCK_TEST_SEED` repeats it.
 */
import { expect, test } from "bun:test";
import {
  accessFs,
  accessNet,
  bindTcp,
  bindUdp,
  composite,
  connectSendUdp,
  connectTcp,
  landlock,
  LandlockError,
  pathAccess,
  planFor,
  roDirs,
  roFiles,
  rwDirs,
  rwFiles,
  scopes,
  type Config,
  type FsRule,
  type Kernel,
  type NetRule,
  type PathRule,
  type Plan,
  type PortRule,
  type Rights,
} from "../src/index.ts";
import { notCovered } from "../src/kernel/probe.ts";
import { randomOf, type Random } from "./random.ts";

const runSeed = Number(process.env["LANDLOCK_TEST_SEED"] ?? Date.now() % 2 ** 32);
const draws = 2000;
const timeoutMs = 60_000;

function drawConfig(random: Random): Config {
  const { V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11, config } = landlock;
  let drawn = random.one([V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11]);
  if (random.chance(0.5)) {
    const [fs, net, scoped] = [random.some(accessFs), random.some(accessNet), random.some(scopes)];
    const all = { fs, net, scoped };
    const family = random.one(["fs", "net", "scoped", "all"] as const);
    drawn = config(family === "all" ? all : { [family]: all[family] });
    if (sizeOf(drawn) === 0) drawn = config({ fs: ["refer"] });
  }
  if (random.chance(0.2)) drawn = drawn.disableLoggingForOriginatingProcess();
  if (random.chance(0.2)) drawn = drawn.enableLoggingForSubprocesses();
  if (random.chance(0.2)) drawn = drawn.disableLoggingForSubdomains();
  return drawn.bestEffort();
}

const portRules = {
  bind_tcp: bindTcp,
  connect_tcp: connectTcp,
  bind_udp: bindUdp,
  connect_send_udp: connectSendUdp,
};

function drawRule(random: Random, config: Config): FsRule | NetRule {
  if (config.fs.length === 0 || (config.net.length > 0 && random.chance(0.4))) {
    const ports = [random.one([0, 53, 80, 443, 65535]), random.below(65536)].slice(random.below(2));
    const rule = portRules[random.one(config.net)](...ports);
    return random.chance(0.2) ? rule.quiet() : rule;
  }
  const paths = ["/usr", "/tmp", "./a", "ü", "/dev/null"].slice(random.below(6));
  const make = random.one([roDirs, rwDirs, roFiles, rwFiles, undefined]);
  const rights = [random.one(config.fs), ...random.some(config.fs)];
  let rule = make ? make(...paths) : pathAccess([...new Set(rights)], ...paths);
  const may = (right: string) => config.fs.includes(right as never) && random.chance(0.3);
  if (may("refer")) rule = rule.withRefer();
  if (may("ioctl_dev")) rule = rule.withIoctlDev();
  if (may("resolve_unix")) rule = rule.withResolveUnix();
  if (random.chance(0.2)) rule = rule.ignoreIfMissing();
  return random.chance(0.2) ? rule.quiet() : rule;
}

function draw(random: Random) {
  const config = drawConfig(random);
  const ruleless = config.fs.length + config.net.length === 0;
  const count = ruleless ? 0 : random.below(6);
  const rules = Array.from({ length: count }, () => drawRule(random, config));
  const abi = random.below(13);
  const state = abi > 0 ? "enabled" : random.one(["disabled", "unsupported", "blocked"] as const);
  const kernel: Kernel = { abi, errata: random.one([0, 2, 13, 15]), state };
  return { config, rules, kernel, random };
}
type Draw = ReturnType<typeof draw>;

/** Tests one property on many draws. */
function property(name: string, holds: (drawn: Draw, plan: Plan) => void): void {
  const body = () => {
    for (let i = 0; i < draws; i++) {
      const seed = (runSeed + i) >>> 0;
      const drawn = draw(randomOf(seed));
      try {
        holds(drawn, planFor(drawn.config, drawn.rules, drawn.kernel));
      } catch (cause) {
        const { config, rules, kernel } = drawn;
        const input = JSON.stringify({ config, rules, kernel });
        throw new Error(`LANDLOCK_TEST_SEED=${seed}: ${input}\n${(cause as Error).message}`, {
          cause,
        });
      }
    }
  };
  test(name, body, timeoutMs);
}

function sizeOf({ fs, net, scoped }: Rights): number {
  return fs.length + net.length + scoped.length;
}

function namesOf({ fs, net, scoped }: Rights): string[] {
  return [...fs, ...net, ...scoped];
}

/** ABI 1 cannot handle reparenting, and any ruleset denies it. */
function deniedAnyway({ config, kernel }: Draw, plan: Plan): string[] {
  const lost = kernel.abi === 1 && sizeOf(plan.handled) > 0 && config.fs.includes("refer");
  return lost ? ["refer"] : [];
}

/** The kernel's rules, computed in the simplest way. */
function wanted({ rules, kernel }: Draw, handled: Rights): (PathRule | PortRule)[] {
  const canBeQuiet = kernel.abi >= 10;
  return rules
    .flatMap((rule): (PathRule | PortRule)[] => {
      const quiet = canBeQuiet && rule.onDenial === "quiet";
      if (rule.kind === "net") {
        const access = rule.access.filter((right) => handled.net.includes(right));
        return rule.ports.map((port) => ({ port, access, quiet }));
      }
      const access = rule.access.filter((right) => handled.fs.includes(right));
      const { onFile, onMissing } = rule;
      return rule.paths.map((path) => ({ path, access, onFile, onMissing, quiet }));
    })
    .filter(({ access, quiet }) => access.length > 0 || quiet);
}

function expectFrozen(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  expect(Object.isFrozen(value)).toBeTrue();
  for (const part of Object.values(value)) expectFrozen(part);
}

property("planFor() is deterministic", ({ config, rules, kernel }, plan) => {
  expect(planFor(config, rules, kernel)).toEqual(plan);
});

property("planFor() is deeply frozen plain data, which JSON carries", (_, plan) => {
  expectFrozen(plan);
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
});

property("planFor() does not depend on the order of the rules", (drawn, plan) => {
  const other = planFor(drawn.config, drawn.random.shuffled(drawn.rules), drawn.kernel);
  const sorted = (list: readonly object[]) => list.map((one) => JSON.stringify(one)).sort();
  expect(sorted(other.rules)).toEqual(sorted(plan.rules));
  expect(sorted(other.ungranted)).toEqual(sorted(plan.ungranted));
  expect({ ...other, rules: [], ungranted: [] }).toEqual({ ...plan, rules: [], ungranted: [] });
});

property("planFor() takes composite(...rules) as it takes the rules", (drawn, plan) => {
  const cut = drawn.random.below(drawn.rules.length + 1);
  const nested = composite(...drawn.rules.slice(0, cut), composite(...drawn.rules.slice(cut)));
  expect(planFor(drawn.config, [nested, composite()], drawn.kernel)).toEqual(plan);
});

property("planFor() takes JSON of a Config, rules and kernel as the things", (drawn, plan) => {
  const { config, rules, kernel } = JSON.parse(JSON.stringify({ ...drawn, random: 0 })) as Draw;
  expect(planFor(config, rules, kernel)).toEqual(plan);
});

property(
  "planFor() handles, reports as unenforced, or knows denied each right once",
  (drawn, plan) => {
    const parts = [plan.handled, plan.unenforced].flatMap(namesOf);
    expect([...parts, ...deniedAnyway(drawn, plan)].sort()).toEqual(namesOf(drawn.config).sort());
  },
);

property(
  "planFor() grants exactly what was asked and is handled, and adds no rule",
  (drawn, plan) => {
    expect(plan.rules as object[]).toEqual(wanted(drawn, plan.handled));
  },
);

property("planFor() reports refer as ungranted where it is denied anyway", (drawn, plan) => {
  const asked = drawn.rules.flatMap((rule) =>
    rule.kind === "fs" && rule.access.includes("refer") ? rule.paths : [],
  );
  const lost = deniedAnyway(drawn, plan).length > 0;
  expect(plan.ungranted.map(({ path }) => path)).toEqual(lost ? asked : []);
});

property("planFor() says full, partial or none by what is handled", ({ kernel }, plan) => {
  const some = sizeOf(plan.unenforced) === 0 ? "full" : "partial";
  expect(plan.enforcement).toBe(sizeOf(plan.handled) === 0 ? "none" : some);
  expect(plan.abi.used).toBe(Math.min(plan.abi.requested, kernel.abi));
});

property("planFor() asks for nothing where it enforces nothing", (_, plan) => {
  if (plan.enforcement === "none") expect([...plan.rules, ...plan.flags]).toEqual([]);
});

property("planFor() never handles less on a newer kernel", ({ config, rules, kernel }, plan) => {
  const newer: Kernel = { ...kernel, abi: kernel.abi + 1, state: "enabled" };
  const next = planFor(config, rules, newer);
  expect(namesOf(next.handled)).toEqual(expect.arrayContaining(namesOf(plan.handled)));
  // A Config that handles more can have more gaps. For equal rights, a newer kernel has no new gap.
  const { handled } = plan;
  if (kernel.abi === 0) return;
  expect(notCovered(kernel.abi, handled)).toEqual(
    expect.arrayContaining([...notCovered(newer.abi, handled)]),
  );
});

property("planFor() of a strict Config gives the same plan, or an error", (drawn, plan) => {
  const strict = { ...drawn.config, mode: "strict" } as const;
  const missing = sizeOf(plan.unenforced) + plan.unenforced.logging.length;
  const plans = () => planFor(strict, drawn.rules, drawn.kernel);
  if (missing + deniedAnyway(drawn, plan).length > 0) expect(plans).toThrow(LandlockError);
  else expect(plans()).toEqual(plan);
});
