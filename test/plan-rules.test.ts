/** How single rules and settings enter a plan: refer, quiet, flags, rules that do not fit. */
import { describe, expect, test } from "bun:test";
import {
  bindTcp,
  bindUdp,
  composite,
  connectTcp,
  landlock,
  LandlockError,
  pathAccess,
  planFor,
  roDirs,
  rwDirs,
  rwFiles,
  type Config,
  type Kernel,
  type Plan,
  type Rule,
} from "../src/index.ts";

const none = { fs: [], net: [], scoped: [] };

function on(abi: number): Kernel {
  return { abi, errata: 0xff, state: "enabled" };
}

function codeAndMessage(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof LandlockError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "no error";
}

function accessOf(plan: Plan): string[][] {
  return plan.rules.map((rule) => [...rule.access]);
}

describe("refer", () => {
  test("planFor() reports refer as ungranted on ABI 1, and keeps the sandbox", () => {
    const rules = [rwDirs("/a", "/b").withRefer(), roDirs("/c")];
    const plan = planFor(landlock.V2.bestEffort(), rules, on(1));
    expect(plan.ungranted).toEqual([
      { right: "refer", path: "/a" },
      { right: "refer", path: "/b" },
    ]);
    expect(plan.handled).toEqual({ ...none, fs: [...landlock.V1.fs] });
    expect(plan.rules).toHaveLength(3);
    expect(accessOf(plan).flat()).not.toContain("refer");
  });

  test("planFor() is full on ABI 1 where only refer is missing, for it is denied there", () => {
    for (const rules of [[], [rwDirs("/a").withRefer()]]) {
      const plan = planFor(landlock.V2.bestEffort(), rules, on(1));
      expect(plan.enforcement).toBe("full");
      expect(plan.unenforced).toEqual({ ...none, logging: [] });
    }
  });

  test("planFor() reports refer as ungranted only where a rule asks for it", () => {
    expect(planFor(landlock.V2.bestEffort(), [rwDirs("/a")], on(1)).ungranted).toEqual([]);
    const rules = [rwDirs("/a").withRefer()];
    expect(planFor(landlock.V2.bestEffort(), rules, on(2)).ungranted).toEqual([]);
  });

  test("planFor() reports refer as unenforced on ABI 1 where no ruleset is left to deny it", () => {
    const config = landlock.config({ fs: ["refer"], net: ["bind_tcp"] }).bestEffort();
    const plan = planFor(config, [pathAccess(["refer"], "/a")], on(1));
    expect(plan.enforcement).toBe("none");
    expect(plan.unenforced).toEqual({ ...none, fs: ["refer"], net: ["bind_tcp"], logging: [] });
    expect(plan.ungranted).toEqual([]);
  });
});

describe("quiet", () => {
  const quiet = composite(roDirs("/q").quiet(), bindTcp(80).quiet(), rwFiles("/f"), bindUdp(53));

  test("planFor() passes quiet on from ABI 10", () => {
    for (const abi of [10, 11, 12]) {
      const { rules, quiet: rights, handled } = planFor(landlock.V10, [quiet], on(abi));
      expect(rules.map((rule) => rule.quiet)).toEqual([true, true, false, false]);
      expect(rights).toEqual({ fs: handled.fs, net: handled.net, scoped: [] });
    }
  });

  test("planFor() quiets only the families that have a quiet rule", () => {
    const quietOf = (...rules: Rule[]) => planFor(landlock.V10, rules, on(10)).quiet;
    const { fs, net } = landlock.V10;
    expect(quietOf(roDirs("/q").quiet(), bindTcp(80))).toEqual({ ...none, fs });
    expect(quietOf(roDirs("/q"), bindTcp(80).quiet())).toEqual({ ...none, net });
    expect(quietOf(roDirs("/q"), bindTcp(80))).toEqual(none);
  });

  test("planFor() of best effort reports quiet as unenforced below ABI 10, once", () => {
    for (let abi = 1; abi < 10; abi++) {
      const plan = planFor(landlock.V10.bestEffort(), [quiet, quiet], on(abi));
      expect(plan.unenforced.logging).toEqual(["quiet"]);
      expect(plan.quiet).toEqual(none);
      expect(plan.rules.some((rule) => rule.quiet)).toBeFalse();
    }
  });

  test("planFor() counts no setting of the audit log against the enforcement", () => {
    const config = landlock.V5.enableLoggingForSubprocesses().bestEffort();
    const plan = planFor(config, [roDirs("/q").quiet()], on(6));
    expect(plan.enforcement).toBe("full");
    expect(plan.unenforced).toEqual({ ...none, logging: ["log_new_exec_on", "quiet"] });
  });

  test("planFor() keeps a quiet port rule that grants nothing, where quiet exists", () => {
    const silent: Rule = { kind: "net", access: [], ports: [80], onDenial: "quiet" };
    const best = landlock.V10.bestEffort();
    const kept = planFor(best, [silent], on(10));
    expect(kept.rules).toEqual([{ port: 80, access: [], quiet: true }]);
    expect(kept.quiet).toEqual({ ...none, net: landlock.V10.net });
    for (const abi of [3, 4, 9]) expect(planFor(best, [silent], on(abi)).rules).toEqual([]);
  });

  test("planFor() keeps a quiet rule that grants nothing, where quiet exists", () => {
    const silent = pathAccess([], "/q").quiet();
    expect(planFor(landlock.V10, [silent], on(10)).rules).toEqual([
      { path: "/q", access: [], onFile: "fail", onMissing: "fail", quiet: true },
    ]);
    expect(planFor(landlock.V10.bestEffort(), [silent], on(9)).rules).toEqual([]);
  });
});

describe("flags", () => {
  const loud = landlock.V1.enableLoggingForSubprocesses()
    .disableLoggingForOriginatingProcess()
    .disableLoggingForSubdomains()
    .bestEffort();

  test("planFor() passes tsync from ABI 8, no_new_privs from 11 and log flags from 7", () => {
    const seen = [6, 7, 8, 10, 11, 12].map((abi) => new Set(planFor(loud, [], on(abi)).flags));
    const log = ["log_same_exec_off", "log_new_exec_on", "log_subdomains_off"] as const;
    expect(seen).toEqual([
      new Set(),
      new Set(log),
      new Set([...log, "tsync"]),
      new Set([...log, "tsync"]),
      new Set([...log, "tsync", "no_new_privs"]),
      new Set([...log, "tsync", "no_new_privs"]),
    ]);
  });

  test("planFor() reports the log flags as unenforced below ABI 7", () => {
    expect(planFor(loud, [], on(6)).unenforced.logging).toEqual([...loud.logging]);
    expect(planFor(loud, [], on(7)).unenforced.logging).toEqual([]);
  });

  test("planFor() has no flags where nothing is left to enforce", () => {
    const plan = planFor(landlock.config({ net: ["bind_udp"] }).bestEffort(), [], on(9));
    expect(plan.enforcement).toBe("none");
    expect(plan.flags).toEqual([]);
  });
});

describe("narrowing", () => {
  test("planFor() narrows presets to the Config, and drops what is left empty", () => {
    const config = landlock.config({ fs: ["write_file", "read_dir"] });
    const plan = planFor(
      config,
      [roDirs("/a"), rwFiles("/b"), pathAccess(["read_dir"], "/c")],
      on(1),
    );
    expect(accessOf(plan)).toEqual([["read_dir"], ["write_file"], ["read_dir"]]);
    expect(planFor(landlock.config({ fs: ["make_sym"] }), [roDirs("/a")], on(1)).rules).toEqual([]);
  });

  test("planFor() grants what a rule asks beyond this kernel by leaving it out", () => {
    const plan = planFor(landlock.V5.bestEffort(), [rwFiles("/dev/tty").withIoctlDev()], on(4));
    expect(accessOf(plan)).toEqual([["execute", "write_file", "read_file", "truncate"]]);
    expect(plan.unenforced.fs).toEqual(["ioctl_dev"]);
    expect(plan.ungranted).toEqual([]);
  });

  test("planFor() plans one rule per path and port, in their order", () => {
    const rules = [roDirs("/b", "/a"), composite(connectTcp(9, 8), composite(roDirs("/c")))];
    const places = planFor(landlock.V4, rules, on(4)).rules.map((rule) =>
      "path" in rule ? rule.path : rule.port,
    );
    expect(places).toEqual(["/b", "/a", 9, 8, "/c"]);
  });

  test("planFor() denies everything without a rule", () => {
    for (const rules of [[], [composite()], [roDirs(...([] as string[]))], [bindTcp()]]) {
      const plan = planFor(landlock.V4, rules, on(4));
      expect(plan.rules).toEqual([]);
      expect(plan.enforcement).toBe("full");
      expect(plan.handled.fs).toEqual(landlock.V4.fs);
    }
  });
});

describe("misfits", () => {
  const plain = (rule: object) => rule as Rule;
  const misfits: [name: string, config: Config, rule: Rule, message: string | RegExp][] = [
    [
      "a port rule without a port right",
      landlock.V3,
      bindTcp(80, 443),
      "Cannot grant bind_tcp on port 80, 443: this Config does not restrict bind_tcp here; leave the rule out, or use a Config and a method that do",
    ],
    [
      "a path rule without a path right",
      landlock.config({ net: ["bind_tcp"] }),
      roDirs("/a", "/b"),
      'Cannot grant execute on "/a", "/b": this Config does not restrict paths here; leave the rule out, or use a Config and a method that do',
    ],
    [
      "refer on V1",
      landlock.V1,
      rwDirs("/a").withRefer(),
      'Cannot grant refer on "/a": this Config does not restrict refer here; leave the rule out, or use a Config and a method that do',
    ],
    [
      "a rule that grants nothing",
      landlock.V1,
      pathAccess([], "/a"),
      'A rule on "/a" grants nothing: name a right, or add .quiet() to silence the audit log',
    ],
    [
      "an empty Config",
      landlock.config({}),
      composite(),
      "This Config restricts nothing here: use one that handles a right of this method",
    ],
    [
      "a quiet path rule without a path right",
      landlock.config({ net: ["bind_tcp"] }),
      pathAccess([], "/a").quiet(),
      /^(?!.*undefined).*"\/a"/,
    ],
    [
      "a quiet port rule without a port right",
      landlock.V3,
      plain({ kind: "net", access: [], ports: [80], onDenial: "quiet" }),
      /^(?!.*undefined).*80/,
    ],
  ];
  const kernels: Kernel[] = [on(11), on(1), { abi: 0, errata: 0, state: "blocked" }];

  for (const [name, config, rule, message] of misfits) {
    test(`planFor() refuses ${name}, strict or best effort, whatever the kernel`, () => {
      for (const kernel of kernels) {
        for (const one of [config, config.bestEffort()]) {
          const seen = codeAndMessage(() => planFor(one, [rule], kernel));
          expect(seen).toStartWith("ERR_LANDLOCK_INVALID_RULE ");
          const rest = seen.slice("ERR_LANDLOCK_INVALID_RULE ".length);
          if (typeof message === "string") expect(rest).toBe(message);
          else expect(rest).toMatch(message);
        }
      }
    });
  }
});

const kernel: Kernel = { abi: 11, errata: 0xff, state: "enabled" };
const plain = JSON.parse(JSON.stringify(landlock.V3)) as object;

function failure(config: unknown, rules: unknown, on: unknown): unknown {
  try {
    return planFor(config as never, rules as never, on as never);
  } catch (error) {
    return error;
  }
}

test("planFor() takes a plain Config, plain rules and a plain kernel", () => {
  const rules = JSON.parse(JSON.stringify([roDirs("/usr")])) as unknown;
  const plan = planFor(landlock.V3, [roDirs("/usr")], kernel);
  expect(failure(plain, rules, { ...kernel })).toEqual(plan);
  expect(plain).toMatchObject({ fs: [...landlock.V3.fs] });
  expect(Object.isFrozen((plain as typeof landlock.V3).fs)).toBeFalse();
});

const wrongConfigs: [what: string, value: object, named: string][] = [
  ["a filesystem right", { fs: ["reed"] }, "reed"],
  ["a network right", { net: ["bind_sctp"] }, "bind_sctp"],
  ["a scope", { scoped: ["pipes"] }, "pipes"],
  ["a log flag", { logging: ["log_all"] }, "log_all"],
  ["a mode", { mode: "lax" }, "lax"],
  ["an ABI", { abi: 99 }, "99"],
  ["atLeast", { mode: "best-effort", atLeast: 2.5 }, "2.5"],
  ["a key", { ipc: [] }, "ipc"],
];
for (const [what, value, named] of wrongConfigs) {
  test(`planFor() names ${what} of a plain Config that it does not know`, () => {
    for (const mode of ["strict", "best-effort"]) {
      const error = failure({ ...plain, mode, ...value }, [], kernel) as LandlockError;
      expect(error).toBeInstanceOf(LandlockError);
      expect(error.code).toBe("ERR_LANDLOCK_INVALID_RULE");
      expect(error.message).toContain(named);
    }
  });
}

const wrongKernels: [what: string, value: object, named: string][] = [
  ["an ABI that is no number", { abi: "7" }, "7"],
  ["an ABI that is NaN", { abi: NaN }, "NaN"],
  ["a negative ABI", { abi: -1 }, "-1"],
  ["errata that are no number", { errata: "all" }, "all"],
  ["an unknown state", { state: "asleep" }, "asleep"],
];
for (const [what, value, named] of wrongKernels) {
  test(`planFor() refuses a kernel with ${what}`, () => {
    const error = failure(landlock.V3, [], { ...kernel, ...value }) as LandlockError;
    expect(error).toBeInstanceOf(LandlockError);
    expect(error.code).toBe("ERR_LANDLOCK_INVALID_RULE");
    expect(error.message).toContain(named);
  });
}

test("planFor() throws a LandlockError for anything else in place of its arguments", () => {
  const odd = [undefined, null, 5, "x", {}, roDirs("/usr")];
  const failures = odd.flatMap((value) => [
    failure(value, [], kernel),
    failure(landlock.V3, value, kernel),
    failure(landlock.V3, [], value),
  ]);
  expect(failures.filter((error) => !(error instanceof LandlockError))).toEqual([]);
});
