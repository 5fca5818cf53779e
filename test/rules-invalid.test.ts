/** What the rule constructors reject: each LandlockError names the value and the fix. */
import { expect, test } from "bun:test";
import {
  accessFs,
  bindTcp,
  bindUdp,
  composite,
  CompositeRule,
  Config,
  connectSendUdp,
  connectTcp,
  FsRule,
  landlock,
  LandlockError,
  NetRule,
  pathAccess,
  planFor,
  roDirs,
  roFiles,
  rwDirs,
  rwFiles,
  type FsRight,
  type Rule,
} from "../src/index.ts";

function failure(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The message of an `ERR_LANDLOCK_INVALID_RULE`. */
function messageOf(action: () => unknown): string {
  const error = failure(action) as LandlockError;
  expect(error).toBeInstanceOf(LandlockError);
  expect(error.code).toBe("ERR_LANDLOCK_INVALID_RULE");
  expect(error.processChanged).toBeFalse();
  return error.message;
}

const loose = <Value>(value: unknown) => value as Value;

const noPath = "is not a path: give a non-empty string without NUL, or a file: URL";
const badPaths: [value: unknown, shown: string][] = [
  ["", '""'],
  ["\0", '"\\u0000"'],
  ["/a\0/b", '"/a\\u0000/b"'],
  ["/\ud800", '"/\\ud800"'],
  ["\udfff", '"\\udfff"'],
  [7, "7"],
  [NaN, "NaN"],
  [null, "null"],
  [undefined, "undefined"],
  [true, "true"],
  [8n, "8n"],
  [Symbol("s"), "Symbol(s)"],
  [{}, "{}"],
];

const pathMakers = {
  roDirs,
  rwDirs,
  roFiles,
  rwFiles,
  pathAccess: (...paths: string[]) => pathAccess(["execute"], ...paths),
};
const lists: [value: unknown, shown: string][] = [
  [[], "[]"],
  [["/usr"], '[ "/usr" ]'],
];
for (const [name, make] of Object.entries(pathMakers)) {
  test(`${name}() refuses a list of paths, and says to spread it`, () => {
    for (const [value, shown] of lists) {
      expect(messageOf(() => make(loose<string>(value)))).toBe(
        `${name}(): [0]: ${shown} is not a path: give paths one by one, such as ...list`,
      );
    }
  });

  test(`${name}() refuses what is no path, and names it`, () => {
    for (const [value, shown] of badPaths) {
      expect(messageOf(() => make("/ok", loose<string>(value)))).toBe(
        `${name}(): [1]: ${shown} ${noPath}`,
      );
    }
  });
}

const badUrls = [
  ...["http://example.org/a", "data:text/plain,x", "file://host/a", "file:///a%2Fb"],
  ...["file:///a%2fb", "file:///a%00", "file:///a%80", "file:///a/b%C3/c"],
];
for (const url of badUrls) {
  test(`roDirs() refuses the URL ${url}, and names it`, () => {
    const message = messageOf(() => roDirs(new URL(url)));
    expect(message).toStartWith("roDirs(): [0]: ");
    expect(message).toContain(new URL(url).href);
    expect(message).toEndWith(noPath);
  });
}

const noPort = "is not a port: give an integer from 0 to 65535";
const badPorts: [value: unknown, shown: string][] = [
  [-1, "-1"],
  [65536, "65536"],
  [1.5, "1.5"],
  [NaN, "NaN"],
  [Infinity, "Infinity"],
  ["80", '"80"'],
  [80n, "80n"],
  [null, "null"],
  [undefined, "undefined"],
  [[80], "[ 80 ]"],
];
for (const make of [bindTcp, connectTcp, bindUdp, connectSendUdp]) {
  test(`${make.name}() refuses what is no port, and names it`, () => {
    for (const [value, shown] of badPorts) {
      const message = messageOf(() => make(80, loose<number>(value)));
      expect(message).toBe(`${make.name}(): [1]: ${shown} ${noPort}`);
    }
  });
}

test("pathAccess() refuses what is no list of different rights, and names it", () => {
  const noRight = `is not a filesystem right: use some of ${accessFs.join(", ")}`;
  const table: [value: unknown, message: string][] = [
    [["reed"], `[0]: "reed" ${noRight}`],
    [
      ["execute", "READ_FILE"],
      '[1]: "READ_FILE" is not a filesystem right: did you mean "read_file"?',
    ],
    [["bind_tcp"], `[0]: "bind_tcp" ${noRight}`],
    [[3], `[0]: 3 ${noRight}`],
    ["execute", '"execute" is not a list: give an array'],
    [null, "null is not a list: give an array"],
    [undefined, "undefined is not a list: give an array"],
    [["execute", "execute"], '[ "execute", "execute" ] is not a set: name nothing twice'],
  ];
  for (const [value, message] of table) {
    expect(messageOf(() => pathAccess(loose(value), "/a"))).toBe(`pathAccess(): ${message}`);
  }
});

const plainFs = { ...roDirs("/a") };
const plainNet = { ...bindTcp(80) };
const badRules: [value: unknown, message: RegExp][] = [
  [null, /^null is not a rule: make one with roDirs\(\), bindTcp\(\) and the like$/],
  ["/usr", /^"\/usr" is not a rule: /],
  [[roDirs("/a")], /is not a rule: /],
  [{ kind: "ipc" }, /ipc.* is not a rule: /s],
  [{ ...plainNet, protocol: "tcp" }, /^"protocol" is unknown: use kind, access, ports, onDenial$/],
  [{ ...plainNet, ports: [65536] }, /^ports\[0\]: 65536 is not a port: /],
  [{ ...plainNet, access: ["bind_sctp"] }, /^access\[0\]: "bind_sctp" is not a network right: /],
  [{ ...plainNet, onDenial: "loud" }, /^onDenial: "loud" is not onDenial: use "log" or "quiet"$/],
  [{ ...plainFs, paths: ["/ok", ""] }, /^paths\[1\]: "" is not a path: /],
  [{ ...plainFs, access: ["reed"] }, /^access\[0\]: "reed" is not a filesystem right: /],
  [{ ...plainFs, explicit: ["refer"] }, /refer.*explicit must be part of access$/s],
  [{ ...plainFs, onFile: "skip" }, /^onFile: "skip" is not onFile: use "narrow" or "fail"$/],
  [
    { ...plainFs, onMissing: "log" },
    /^onMissing: "log" is not onMissing: use "fail", "skip" or "create"$/,
  ],
  [{ kind: "fs" }, /^access: undefined is not a list: give an array$/],
  [{ kind: "composite" }, /^rules: undefined is not a list: give an array$/],
  [
    { kind: "composite", rules: [composite(), { kind: "composite", rules: [5] }] },
    /^rules\[1\]\.rules\[0\]: 5 is not a rule: /,
  ],
];
test("composite() and the verbs refuse plain data that is no rule, and name what is wrong", () => {
  const kernel = { abi: 11, errata: 0, state: "enabled" } as const;
  for (const [value, message] of badRules) {
    const calls: [call: string, action: () => unknown][] = [
      ["composite()", () => composite(loose(value))],
      ["plan()", () => landlock.V11.bestEffort().plan(loose(value))],
      ["plan()", () => planFor(landlock.V11, [loose(value)], kernel)],
    ];
    for (const [call, action] of calls) {
      const seen = messageOf(action);
      expect(seen).toStartWith(`${call}: `);
      expect(seen.slice(call.length + 2)).toMatch(message);
    }
  }
});

test("composite() refuses plain data that contains itself", () => {
  const loop: { kind: "composite"; rules: Rule[] } = { kind: "composite", rules: [] };
  loop.rules.push(loop);
  expect(messageOf(() => composite(loop))).toContain("rule");
});

test("roDirs() refuses a value that cannot even be shown", () => {
  const hostile = {
    [Bun.inspect.custom]() {
      throw new Error("not shown");
    },
  };
  expect(messageOf(() => roDirs(loose<string>(hostile)))).toEndWith(noPath);
});

const odd: unknown[] = [
  ...badPaths.map(([value]) => value),
  ...badPorts.map(([value]) => value),
  ...badUrls.map((url) => new URL(url)),
  ...badRules.map(([value]) => value),
  ...["a", "80", "refer", -0, 80, 65535, new Date(0), () => 1, new Map(), Object.create(null)],
  ...["x".repeat(5000), new Proxy({}, {}), [,], new Uint8Array(2), new String("/a"), /x/],
  ...[roDirs("/a"), bindTcp(1), composite(), landlock.V1, ["execute"], [NaN], { length: 1 }],
];
const calls = [roDirs, rwDirs, roFiles, rwFiles, bindTcp, connectTcp, bindUdp, connectSendUdp];
const constructors = [...calls, composite, pathAccess] as ((...values: unknown[]) => unknown)[];

test("no constructor throws anything but a LandlockError of one line, whatever it gets", () => {
  const wrong: string[] = [];
  for (const make of constructors) {
    for (const first of odd) {
      for (const args of [
        [first],
        [first, first],
        ...odd.slice(0, 6).map((more) => [first, more]),
      ]) {
        const error = failure(() => make(...args));
        if (error === undefined) continue;
        const fits = error instanceof LandlockError && error.code === "ERR_LANDLOCK_INVALID_RULE";
        if (!fits || error.message.includes("\n")) wrong.push(`${make.name}: ${String(error)}`);
      }
    }
  }
  expect(wrong.slice(0, 5)).toEqual([]);
});

const kernel = { abi: 8, errata: 0, state: "enabled" } as const;
const config = landlock.V4.bestEffort();
const plan = (rule: unknown) => planFor(config, [rule as FsRule], kernel);

function refusalOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof LandlockError ? error.code : (error as Error).name;
  }
  return "nothing was thrown";
}

/** Arrays whose own methods lie. */
const lies = [
  { includes: () => true, every: () => true },
  { [Symbol.iterator]: () => [].values() },
  { every: () => true, [Symbol.iterator]: () => ["read_file"].values() },
];

const nonsense = {
  kind: "fs",
  access: ["everything"],
  explicit: [],
  paths: [3],
  onFile: "narrow",
  onMissing: "fail",
  onDenial: "log",
};
const refused = "ERR_LANDLOCK_INVALID_RULE";

test("an object with the prototype of a rule is checked like any other", () => {
  for (const { prototype } of [FsRule, NetRule, CompositeRule]) {
    const forged = Object.assign(Object.create(prototype) as object, nonsense);
    expect(refusalOf(() => plan(forged))).toBe(refused);
    expect(refusalOf(() => composite(forged as unknown as FsRule))).toBe(refused);
    expect(refusalOf(() => plan(composite(roDirs("/"), forged as unknown as FsRule)))).toBe(
      refused,
    );
  }
  const equal = Object.assign(Object.create(FsRule.prototype) as object, roDirs("/usr"));
  expect(plan(equal)).toEqual(plan(roDirs("/usr")));
});

test("a rule's methods make no rule of an object that only has its prototype", () => {
  const forged = Object.assign<FsRule, object>(Object.create(FsRule.prototype) as FsRule, nonsense);
  const methods = ["withRefer", "ignoreIfMissing", "createIfMissing", "quiet"] as const;
  for (const method of methods)
    expect(
      refusalOf(() => forged[method]()),
      method,
    ).toBe("TypeError");
  const net = Object.assign<NetRule, object>(Object.create(NetRule.prototype) as NetRule, nonsense);
  expect(refusalOf(() => net.quiet())).toBe("TypeError");
});

test("constructors check what they are given", () => {
  const construct = (type: unknown, value: unknown) => () =>
    new (type as new (value: unknown) => unknown)(value);
  expect(refusalOf(construct(FsRule, nonsense))).toBe(refused);
  expect(refusalOf(construct(NetRule, { access: ["bind_tcp"], ports: [-1] }))).toBe(refused);
  expect(refusalOf(construct(CompositeRule, [nonsense]))).toBe(refused);
  expect(refusalOf(construct(Config, { ...config, fs: ["everything"] }))).toBe(refused);
  expect(refusalOf(construct(Config, { ...config, abi: 0 }))).toBe(refused);
  class Wider extends FsRule {}
  expect(refusalOf(construct(Wider, nonsense))).toBe(refused);
  const { paths } = new (FsRule as unknown as new (value: unknown) => FsRule)(roDirs("/usr"));
  expect(paths).toEqual(["/usr"]);
});

test("an object with the prototype of a Config is no Config", () => {
  const forged = Object.assign(Object.create(Config.prototype) as Config, { ...config, fs: [] });
  expect(refusalOf(() => forged.plan(roDirs("/")))).toBe(refused);
  expect(refusalOf(() => forged.ruleset())).toBe(refused);
  expect(refusalOf(() => forged.restrict())).toBe(refused);
  for (const verb of ["restrictPaths", "restrictNet", "restrictScoped", "bestEffort"] as const) {
    expect(
      refusalOf(() => forged[verb]()),
      verb,
    ).toBe("TypeError");
  }
  const wrong = Object.assign(Object.create(Config.prototype) as Config, { ...config, abi: 99 });
  expect(refusalOf(() => planFor(wrong, [], kernel))).toBe(refused);
});

test("a list of rights is read element by element, whatever its methods say", () => {
  for (const methods of lies) {
    const unknown = Object.assign(["everything" as FsRight], methods);
    expect(refusalOf(() => pathAccess(unknown, "/usr"))).toBe(refused);
    expect(refusalOf(() => landlock.config({ fs: unknown }))).toBe(refused);
    const known = Object.assign<FsRight[], object>(["read_file"], methods);
    expect(pathAccess(known, "/usr").access).toEqual(["read_file"]);
    expect(landlock.config({ fs: known }).fs).toEqual(["read_file"]);
  }
});
