/** What a strict Config and `atLeast` demand of a kernel, with the exact words of each error. */
import { expect, test } from "bun:test";
import {
  landlock,
  LandlockError,
  planFor,
  probe,
  roDirs,
  type Config,
  type Kernel,
  type KernelState,
  type Rule,
} from "../src/index.ts";

const allFixed = 0xff;
const signalNotFixed = allFixed & ~(1 << 1);

function kernelOf(abi: number, errata = allFixed): Kernel {
  return { abi, errata, state: "enabled" };
}

/** The error's code and message, or the enforcement of the plan. */
function answer(config: Config, kernel: Kernel, rules: Rule[] = []): string {
  try {
    return planFor(config, rules, kernel).enforcement;
  } catch (error) {
    if (!(error instanceof LandlockError)) throw error;
    expect(error.processChanged).toBeFalse();
    return `${error.code} ${error.message}`;
  }
}

function lacks(rights: string, newest: string, needs: number, linux: string, has: number): string {
  return `ERR_LANDLOCK_ABI_TOO_OLD Cannot restrict ${rights}: ${newest} needs Landlock ABI ${needs} (Linux ${linux}), but this kernel has ${has}; use a lower version, or .bestEffort() to restrict what is possible`;
}

const signalMessage =
  "ERR_LANDLOCK_ABI_TOO_OLD Cannot scope signal: this kernel lacks the fix of Landlock erratum 2, without which the process's own threads could not signal each other; use a newer kernel, or .bestEffort() to leave it out";

/** The oldest ABI with every right of a version: V7, V8 and V11 added none. */
const oldestFor: Record<number, number> = {
  1: 1,
  2: 2,
  3: 3,
  4: 4,
  5: 5,
  6: 6,
  7: 6,
  8: 6,
  9: 9,
  10: 10,
  11: 10,
};
const versions = Object.entries(landlock).filter((entry) => entry[0] !== "config") as [
  string,
  Config,
][];

test("planFor() of a strict version is full or an error, for every version on every ABI", () => {
  expect(versions).toHaveLength(11);
  for (const [name, config] of versions) {
    for (let abi = 1; abi <= 12; abi++) {
      const fits = abi >= oldestFor[config.abi]!;
      const want = fits ? /^full$/ : /^ERR_LANDLOCK_ABI_TOO_OLD Cannot restrict /;
      expect(answer(config, kernelOf(abi)), `${name} on ABI ${abi}`).toMatch(want);
    }
  }
});

const tooOld: [config: Config, abi: number, message: string][] = [
  [landlock.V2, 1, lacks("refer", "refer", 2, "5.19", 1)],
  [landlock.V3, 2, lacks("truncate", "truncate", 3, "6.2", 2)],
  [landlock.V4, 3, lacks("bind_tcp, connect_tcp", "bind_tcp", 4, "6.7", 3)],
  [landlock.V5, 4, lacks("ioctl_dev", "ioctl_dev", 5, "6.10", 4)],
  [landlock.V6, 5, lacks("abstract_unix_socket, signal", "abstract_unix_socket", 6, "6.12", 5)],
  [
    landlock.V9,
    4,
    lacks("ioctl_dev, resolve_unix, abstract_unix_socket, signal", "resolve_unix", 9, "7.1", 4),
  ],
  [landlock.V9, 8, lacks("resolve_unix", "resolve_unix", 9, "7.1", 8)],
  [landlock.V10, 9, lacks("bind_udp, connect_send_udp", "bind_udp", 10, "7.2", 9)],
  [
    landlock.V6.enableLoggingForSubprocesses(),
    6,
    lacks("log_new_exec_on", "log_new_exec_on", 7, "6.15", 6),
  ],
];

for (const [config, abi, message] of tooOld) {
  test(`planFor() names what a strict V${config.abi} misses on ABI ${abi}`, () => {
    expect(answer(config, kernelOf(abi))).toBe(message);
  });
}

test("planFor() of a strict Config refuses a quiet rule below ABI 10", () => {
  const quiet = roDirs("/usr").quiet();
  expect(answer(landlock.V9, kernelOf(9), [quiet])).toBe(lacks("quiet", "quiet", 10, "7.2", 9));
  expect(answer(landlock.V9, kernelOf(10), [quiet])).toBe("full");
});

test("planFor() needs only what the Config still restricts, whatever its version", () => {
  const paths = landlock.config({ fs: ["read_file"], net: ["connect_tcp"] });
  expect(answer(paths, kernelOf(3))).toBe(lacks("connect_tcp", "connect_tcp", 4, "6.7", 3));
  expect(answer(paths, kernelOf(4))).toBe("full");
});

test("planFor() refuses signal without the fix of erratum 2, on ABI 6 and 7 only", () => {
  const seen = [6, 7, 8, 9, 10, 11, 12].map((abi) =>
    answer(landlock.V6, kernelOf(abi, signalNotFixed)),
  );
  expect(seen).toEqual([signalMessage, signalMessage, "full", "full", "full", "full", "full"]);
  const without = landlock.config({ scoped: ["abstract_unix_socket"] });
  expect(answer(without, kernelOf(6, 0))).toBe("full");
});

test("planFor() of best effort leaves out only signal without the fix of erratum 2", () => {
  for (const abi of [6, 7, 8, 9, 10, 11, 12]) {
    const fixed = planFor(landlock.V11.bestEffort(), [], kernelOf(abi));
    const plan = planFor(landlock.V11.bestEffort(), [], kernelOf(abi, signalNotFixed));
    if (abi >= 8) {
      expect(plan).toEqual(fixed);
      continue;
    }
    expect(plan).toEqual({
      ...fixed,
      handled: { ...fixed.handled, scoped: ["abstract_unix_socket"] },
      unenforced: { ...fixed.unenforced, scoped: ["signal"] },
      notCovered: fixed.notCovered.filter((what) => !what.startsWith("SIGIO")),
    });
  }
});

test("planFor() counts only bit 1 as erratum 2", () => {
  const scoped = (errata: number) =>
    planFor(landlock.V6.bestEffort(), [], kernelOf(7, errata)).handled.scoped;
  expect(scoped(2)).toEqual(["abstract_unix_socket", "signal"]);
  for (const errata of [0, 1, 4, 8, 13]) expect(scoped(errata)).toEqual(["abstract_unix_socket"]);
});

test("planFor() without the fix of erratum 2 is partial where all else is there", () => {
  expect(answer(landlock.V6.bestEffort(), kernelOf(7))).toBe("full");
  expect(answer(landlock.V6.bestEffort(), kernelOf(7, signalNotFixed))).toBe("partial");
});

const unavailable: [state: KernelState, message: string][] = [
  [
    "disabled",
    "ERR_LANDLOCK_DISABLED Cannot restrict anything: Landlock is built into this kernel but was left out at boot: add landlock to the lsm= boot parameter or to CONFIG_LSM",
  ],
  [
    "unsupported",
    "ERR_LANDLOCK_UNSUPPORTED Cannot restrict anything: this kernel has no Landlock: use Linux 5.13 or newer, built with CONFIG_SECURITY_LANDLOCK=y",
  ],
  [
    "blocked",
    "ERR_LANDLOCK_BLOCKED Cannot restrict anything: something forbids the Landlock system calls: allow landlock_create_ruleset, landlock_add_rule and landlock_restrict_self in the container's seccomp profile",
  ],
  [
    "not-linux",
    "ERR_LANDLOCK_NOT_LINUX Cannot restrict anything: there is no Landlock outside Linux",
  ],
];

for (const [state, message] of unavailable) {
  const kernel = { abi: 0, errata: 0, state };

  test(`planFor() of a strict Config throws the remedy where Landlock is ${state}`, () => {
    for (const [, config] of versions) expect(answer(config, kernel)).toBe(message);
    expect(answer(landlock.V1.bestEffort({ atLeast: 1 }), kernel)).toBe(message);
  });

  test(`planFor() of best effort enforces nothing where Landlock is ${state}`, () => {
    const rules = [roDirs("/usr").withRefer().quiet()];
    const config = landlock.V11.disableLoggingForSubdomains().bestEffort();
    const { fs, net, scoped } = landlock.V11;
    expect(planFor(config, rules, kernel)).toEqual({
      enforcement: "none",
      abi: { kernel: 0, requested: 11, used: 0 },
      handled: { fs: [], net: [], scoped: [] },
      unenforced: { fs, net, scoped, logging: ["log_subdomains_off", "quiet"] },
      ungranted: [],
      rules: [],
      quiet: { fs: [], net: [], scoped: [] },
      flags: [],
      rewritable: [],
      notCovered: ["everything: Landlock cannot be used here"],
    });
  });
}

test("planFor() of bestEffort({ atLeast }) throws below that ABI, and only there", () => {
  const linux = ["", "5.13", "5.19", "6.2", "6.7", "6.10", "6.12", "6.15", "7.0", "7.1", "7.2"];
  for (let atLeast = 2; atLeast <= 11; atLeast++) {
    for (let abi = 1; abi <= 12; abi++) {
      const version = [...linux, "7.3"][atLeast];
      expect(answer(landlock.V1.bestEffort({ atLeast }), kernelOf(abi))).toBe(
        abi >= atLeast
          ? "full"
          : `ERR_LANDLOCK_ABI_TOO_OLD Landlock ABI ${atLeast} (Linux ${version}) is required, but this kernel has ${abi}: use a newer kernel or a lower atLeast`,
      );
    }
  }
});

/** A kernel without some rights of its ABI, as distributions ship. */
function kernelWithout(abi: number, ...missing: NonNullable<Kernel["missing"]>): Kernel {
  return { ...kernelOf(abi), missing };
}

test("planFor() of best effort leaves out just the rights that a kernel refuses, and reports them", () => {
  const rights = [...landlock.V11.fs, ...landlock.V11.net, ...landlock.V11.scoped];
  for (const right of rights.filter((one) => one !== "refer")) {
    for (let abi = 1; abi <= 12; abi++) {
      const whole = planFor(landlock.V11.bestEffort(), [], kernelOf(abi));
      const plan = planFor(landlock.V11.bestEffort(), [], kernelWithout(abi, right));
      const without = (names: readonly string[]) => names.filter((name) => name !== right);
      expect(plan.handled as object).toEqual({
        fs: without(whole.handled.fs),
        net: without(whole.handled.net),
        scoped: without(whole.handled.scoped),
      });
      const { fs, net, scoped } = plan.unenforced;
      expect([...fs, ...net, ...scoped]).toContain(right);
      expect(plan.enforcement).toBe("partial");
    }
  }
});

test("planFor() counts refer as lost where a kernel refuses it: reparenting is denied anyway", () => {
  const plan = planFor(
    landlock.V6.bestEffort(),
    [roDirs("/usr").withRefer()],
    kernelWithout(6, "refer"),
  );
  expect(plan).toMatchObject({
    enforcement: "full",
    ungranted: [{ right: "refer", path: "/usr" }],
  });
});

test("planFor() of a strict Config names the right that a kernel refuses", () => {
  for (const abi of [6, 7, 9]) {
    const kernel = kernelWithout(abi, "signal");
    expect(answer(landlock.V6, kernel)).toBe(
      `ERR_LANDLOCK_ABI_TOO_OLD Cannot restrict signal: this kernel refuses that, although it reports Landlock ABI ${abi}; use a newer kernel, or .bestEffort() to leave it out`,
    );
    expect(answer(landlock.V5, kernel)).toBe("full");
    expect(answer(landlock.config({ scoped: ["abstract_unix_socket"] }), kernel)).toBe("full");
  }
  // Rights newer than the kernel are reported first, since the caller then tries a lower version.
  expect(answer(landlock.V9, kernelWithout(6, "signal"))).toContain("resolve_unix needs");
});

test("planFor() of bestEffort({ atLeast }) throws where a right of that ABI is refused", () => {
  const kernel = kernelWithout(7, "signal");
  expect(answer(landlock.V7.bestEffort({ atLeast: 5 }), kernel)).toBe("partial");
  expect(answer(landlock.V5.bestEffort({ atLeast: 6 }), kernel)).toBe("full");
  for (const atLeast of [6, 7]) {
    expect(answer(landlock.V7.bestEffort({ atLeast }), kernel)).toBe(
      `ERR_LANDLOCK_ABI_TOO_OLD Landlock ABI ${atLeast} is required, but this kernel refuses signal, although it reports ABI 7: use a newer kernel or a lower atLeast`,
    );
  }
});

test("probe() says what this machine has, and its remedy where it has nothing", () => {
  const here = probe();
  expect(Object.isFrozen(here)).toBeTrue();
  expect(Object.keys(here)).toEqual(["abi", "errata", "state", "missing", "remedy"]);
  expect(here.abi > 0).toBe(here.state === "enabled");
  expect(here.remedy === "").toBe(here.state === "enabled");
  const known = Object.fromEntries(unavailable);
  if (here.remedy) expect(known[here.state]).toEndWith(here.remedy);
});
