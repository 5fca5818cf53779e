/** Configs: the rights of V1 to V11, custom Configs, and settings. */
import { describe, expect, test } from "bun:test";
import {
  accessFs,
  accessNet,
  bindUdp,
  Config,
  connectTcp,
  landlock,
  LandlockError,
  pathAccess,
  planFor,
  roDirs,
  rwDirs,
  scopes,
  type Kernel,
  type Rule,
} from "../src/index.ts";
import { inSubprocess } from "./harness.ts";

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(LandlockError);
    expect((error as LandlockError).code).toBe("ERR_LANDLOCK_INVALID_RULE");
    return (error as LandlockError).message;
  }
  throw new Error("it did not throw");
}

const loose = <Value>(value: unknown) => value as Value;

/** How many names of each list an ABI has, in the kernel's order. */
const sizes: [name: keyof typeof landlock, fs: number, net: number, scoped: number][] = [
  ["V1", 13, 0, 0],
  ["V2", 14, 0, 0],
  ["V3", 15, 0, 0],
  ["V4", 15, 2, 0],
  ["V5", 16, 2, 0],
  ["V6", 16, 2, 2],
  ["V7", 16, 2, 2],
  ["V8", 16, 2, 2],
  ["V9", 17, 2, 2],
  ["V10", 17, 4, 2],
  ["V11", 17, 4, 2],
];

describe("versions", () => {
  for (const [name, fs, net, scoped] of sizes) {
    test(`landlock.${name} restricts all that this ABI can, strictly`, () => {
      expect({ ...(landlock[name] as Config) }).toEqual({
        abi: Number(name.slice(1)),
        fs: accessFs.slice(0, fs),
        net: accessNet.slice(0, net),
        scoped: scopes.slice(0, scoped),
        logging: [],
        mode: "strict",
        atLeast: 0,
        allowNone: false,
      });
    });
  }

  test("landlock has V1 to V11 and config(), and is frozen", () => {
    expect(Object.keys(landlock)).toEqual([...sizes.map(([name]) => name), "config"]);
    expect(Object.isFrozen(landlock)).toBeTrue();
  });

  test("a Config is frozen data, all of which JSON carries", () => {
    const config = landlock.V6.bestEffort({ atLeast: 2 }).enableLoggingForSubprocesses();
    expect(Object.isFrozen(config)).toBeTrue();
    for (const list of [config.fs, config.net, config.scoped, config.logging]) {
      expect(Object.isFrozen(list)).toBeTrue();
    }
    expect(JSON.parse(JSON.stringify(config))).toEqual({ ...config });
  });

  test("a Config shows its data and no methods in Bun.inspect()", () => {
    const text = Bun.inspect(landlock.V4);
    expect(text).not.toMatch(/Function|restrictPaths|bestEffort:/);
    for (const key of Object.keys(landlock.V4)) expect(text).toContain(`${key}:`);
    for (const right of [...landlock.V4.fs, ...landlock.V4.net]) expect(text).toContain(right);
  });
});

describe("config()", () => {
  test("landlock.config() restricts just the rights it names", () => {
    const config = landlock.config({ fs: ["write_file"], net: ["bind_tcp"], scoped: ["signal"] });
    expect(config).toBeInstanceOf(Config);
    expect(config).toMatchObject({ fs: ["write_file"], net: ["bind_tcp"], scoped: ["signal"] });
    expect(config.mode).toBe("strict");
    expect(landlock.config({ net: ["bind_udp"] })).toMatchObject({ fs: [], scoped: [] });
  });

  test("landlock.config() asks for the ABI of its newest right", () => {
    expect(landlock.config({}).abi).toBe(1);
    expect(landlock.config({ fs: ["execute"] }).abi).toBe(1);
    expect(landlock.config({ fs: ["execute", "refer"] }).abi).toBe(2);
    expect(landlock.config({ fs: ["truncate"], net: ["connect_tcp"] }).abi).toBe(4);
    expect(landlock.config({ fs: ["ioctl_dev"] }).abi).toBe(5);
    expect(landlock.config({ scoped: ["signal"], fs: ["execute"] }).abi).toBe(6);
    expect(landlock.config({ fs: ["resolve_unix"], scoped: ["signal"] }).abi).toBe(9);
    expect(landlock.config({ net: ["connect_send_udp", "bind_tcp"] }).abi).toBe(10);
  });

  test("landlock.config() keeps no hold on the lists it was given", () => {
    const rights = { fs: ["execute" as const], net: ["bind_tcp" as const] };
    const config = landlock.config(rights);
    rights.net.pop();
    expect(config.net).toEqual(["bind_tcp"]);
    expect(Object.isFrozen(rights.fs)).toBeFalse();
  });

  const wrong: [value: unknown, message: string | RegExp][] = [
    [{ fs: ["reed"] }, /^fs\[0\]: "reed" is not a filesystem right: use some of execute, /],
    [{ fs: ["execute", "bind_tcp"] }, /^fs\[1\]: "bind_tcp" is not a filesystem right: /],
    [
      { net: ["bind_sctp"] },
      'net[0]: "bind_sctp" is not a network right: did you mean "bind_tcp"?',
    ],
    [
      { scoped: ["pipe"] },
      'scoped[0]: "pipe" is not a scope: use some of abstract_unix_socket, signal',
    ],
    [{ scopes: ["signal"] }, '"scopes" is unknown: did you mean "scoped"?'],
    [{ fs: ["execute"], ipc: [], abi: 3 }, '"ipc", "abi" is unknown: use fs, net, scoped'],
    [{ fs: "execute" }, 'fs: "execute" is not a list: give an array'],
    [{ net: null }, "net: null is not a list: give an array"],
    [{ scoped: ["signal", "signal"] }, /^scoped: .* is not a set: name nothing twice$/],
    [undefined, "undefined is not an object: give one with fs, net, scoped"],
    [null, "null is not an object: give one with fs, net, scoped"],
    ["V3", '"V3" is not an object: give one with fs, net, scoped'],
    [3, "3 is not an object: give one with fs, net, scoped"],
  ];
  test("landlock.config() refuses what it does not know, and names it and the fix", () => {
    for (const [value, message] of wrong) {
      const seen = messageOf(() => landlock.config(loose(value)));
      expect(seen).toStartWith("landlock.config(): ");
      const rest = seen.slice("landlock.config(): ".length);
      if (typeof message === "string") expect(rest).toBe(message);
      else expect(rest).toMatch(message);
    }
  });
});

describe("bestEffort()", () => {
  test("bestEffort() returns a new Config, and sets the mode and atLeast only", () => {
    expect({ ...landlock.V5.bestEffort() }).toEqual({ ...landlock.V5, mode: "best-effort" });
    expect(landlock.V5.bestEffort({}).atLeast).toBe(0);
    expect(landlock.V5.mode).toBe("strict");
    for (let atLeast = 1; atLeast <= 11; atLeast++) {
      const config = landlock.V5.bestEffort({ atLeast });
      expect({ ...config }).toEqual({ ...landlock.V5, mode: "best-effort", atLeast });
    }
  });

  test("bestEffort({ allowNone: true }) lasts until the next bestEffort()", () => {
    const config = landlock.V5.bestEffort({ allowNone: true });
    expect({ ...config }).toEqual({ ...landlock.V5, mode: "best-effort", allowNone: true });
    expect(config.enableLoggingForSubprocesses().allowNone).toBeTrue();
    expect(config.bestEffort().allowNone).toBeFalse();
    expect(landlock.V5.bestEffort({ atLeast: 4, allowNone: false }).atLeast).toBe(4);
  });

  const noAbi = "is not a Landlock ABI: give an integer from 1 to 11";
  const wrong: [value: unknown, message: string][] = [
    [{ atLeast: 0 }, `atLeast: 0 ${noAbi}`],
    [{ atLeast: 12 }, `atLeast: 12 ${noAbi}`],
    [{ atLeast: 2.5 }, `atLeast: 2.5 ${noAbi}`],
    [{ atLeast: NaN }, `atLeast: NaN ${noAbi}`],
    [{ atLeast: "7" }, `atLeast: "7" ${noAbi}`],
    [{ atLeast: null }, `atLeast: null ${noAbi}`],
    [{ atleast: 7 }, '"atleast" is unknown: did you mean "atLeast"?'],
    [{ allowNone: 1 }, "allowNone: 1 is not a setting: use true or false"],
    [
      { atLeast: 4, allowNone: true },
      "{ atLeast: 4, allowNone: true, } is not best effort: atLeast and allowNone contradict each other, give one of the two",
    ],
    [7, "7 is not an object: give one with atLeast, allowNone"],
    [null, "null is not an object: give one with atLeast, allowNone"],
    [[], "[] is not an object: give one with atLeast, allowNone"],
  ];
  test("bestEffort() refuses what is no ABI, and names it and the fix", () => {
    for (const [value, message] of wrong) {
      const seen = messageOf(() => landlock.V5.bestEffort(loose(value)));
      expect(seen).toBe(`bestEffort(): ${message}`);
    }
  });
});

describe("logging", () => {
  const methods = [
    ["disableLoggingForOriginatingProcess", "log_same_exec_off"],
    ["enableLoggingForSubprocesses", "log_new_exec_on"],
    ["disableLoggingForSubdomains", "log_subdomains_off"],
  ] as const;
  for (const [method, flag] of methods) {
    test(`${method}() adds ${flag} once, in a new Config`, () => {
      const config = landlock.V7[method]();
      expect({ ...config }).toEqual({ ...landlock.V7, logging: [flag] });
      expect(landlock.V7.logging).toEqual([]);
      expect(config[method]().logging).toEqual([flag]);
      expect(landlock.V7.bestEffort()[method]().mode).toBe("best-effort");
    });
  }

  test("the logging methods add up", () => {
    const all = methods.reduce((config, [method]) => config[method](), landlock.V1 as Config);
    expect(new Set(all.logging)).toEqual(new Set(methods.map(([, flag]) => flag)));
  });
});

test("plan() opens no path", () => {
  const rules = [roDirs("/no/such/path"), rwDirs("/dev/null", "/proc/self/fd/9999")];
  const { rules: planned } = landlock.V1.bestEffort().plan(...rules);
  expect(planned.map((rule) => "path" in rule && rule.path)).toEqual(
    landlock.V1.bestEffort().plan().enforcement === "none"
      ? []
      : ["/no/such/path", "/dev/null", "/proc/self/fd/9999"],
  );
});

const here = "this Config does not restrict";
const leave = "here; leave the rule out, or use a Config and a method that do";
const nothing = "This Config restricts nothing here: use one that handles a right of this method";

test("a verb that its Config cannot restrict is an error, strict and best effort", async () => {
  // Runs in a process of its own: if one of them threw nothing, it would restrict the process.
  const seen = await inSubprocess({}, async (inside) => {
    const { landlock, roDirs, rwDirs, bindTcp, bindUdp, composite, thrown } = inside;
    type Verb = (config: InstanceType<typeof inside.Config>) => unknown;
    const calls: [config: InstanceType<typeof inside.Config>, verb: Verb][] = [
      [landlock.V3, (config) => config.restrictNet()],
      [landlock.V5, (config) => config.restrictScoped()],
      [landlock.config({ net: ["bind_tcp"] }), (config) => config.restrictPaths()],
      [landlock.config({}), (config) => config.restrict()],
      [landlock.V11, (config) => config.restrictPaths(...([bindTcp(80)] as Rule[]))],
      [landlock.V11, (config) => config.restrictPaths(roDirs("/"), composite(bindTcp(80)))],
      [landlock.V11, (config) => config.restrictNet(...([roDirs("/usr")] as Rule[]))],
      [landlock.V1, (config) => config.restrictPaths(rwDirs("/a").withRefer())],
      [landlock.V4, (config) => config.restrictPaths(rwDirs("/a").withIoctlDev())],
      [landlock.V8, (config) => config.restrictPaths(rwDirs("/a").withResolveUnix())],
      [landlock.V9, (config) => config.restrictNet(bindUdp(53))],
      [landlock.V3, (config) => config.restrict(bindTcp(80))],
      [landlock.V3, (config) => config.ruleset(bindTcp(80))],
      [landlock.V3, (config) => config.plan(bindTcp(80))],
    ];
    return calls.map(([config, verb]) =>
      [config, config.bestEffort()].map((one) => thrown(() => verb(one)) ?? "no error"),
    );
  });
  const messages = [
    nothing,
    nothing,
    nothing,
    nothing,
    `Cannot grant bind_tcp on port 80: ${here} bind_tcp ${leave}`,
    `Cannot grant bind_tcp on port 80: ${here} bind_tcp ${leave}`,
    `Cannot grant execute on "/usr": ${here} paths ${leave}`,
    `Cannot grant refer on "/a": ${here} refer ${leave}`,
    `Cannot grant ioctl_dev on "/a": ${here} ioctl_dev ${leave}`,
    `Cannot grant resolve_unix on "/a": ${here} resolve_unix ${leave}`,
    `Cannot grant bind_udp on port 53: ${here} bind_udp ${leave}`,
    `Cannot grant bind_tcp on port 80: ${here} bind_tcp ${leave}`,
    `Cannot grant bind_tcp on port 80: ${here} bind_tcp ${leave}`,
    `Cannot grant bind_tcp on port 80: ${here} bind_tcp ${leave}`,
  ];
  const error = { name: "LandlockError", code: "ERR_LANDLOCK_INVALID_RULE", processChanged: false };
  expect(seen).toEqual(
    messages.map((message) => [
      { ...error, message },
      { ...error, message },
    ]),
  );
});

test("planFor() refuses rules that do not fit before it looks at the kernel", () => {
  const unread = new Proxy({} as Kernel, {
    get(_, key) {
      throw new Error(`the kernel's ${String(key)} was asked`);
    },
  });
  const misfits: [config: Config, rule: Rule][] = [
    [landlock.V3, connectTcp(443)],
    [landlock.V1, rwDirs("/a").withRefer()],
    [landlock.V2, pathAccess(["truncate"], "/a")],
    [landlock.V9, bindUdp(53)],
    [landlock.config({ scoped: ["signal"] }), roDirs("/a")],
  ];
  for (const [config, rule] of misfits) {
    for (const one of [config, config.bestEffort({ atLeast: 11 })]) {
      expect(() => planFor(one, [rule], unread)).toThrow(LandlockError);
    }
  }
});
