/** What each key of a policy becomes. Pure: opens nothing and needs no kernel. */
import { describe, expect, test } from "bun:test";
import {
  bindTcp,
  bindUdp,
  composite,
  connectSendUdp,
  connectTcp,
  landlock,
  parsePolicy,
  pathAccess,
  Policy,
  roDirs,
  roFiles,
  rwDirs,
  rwFiles,
  type Rule,
} from "../../src/index.ts";
import { handledPart, withRights } from "../../src/policy/handled.ts";

const read = (value: unknown) => parsePolicy(value, { base: "/base" });

const strict = landlock.V11;

describe("rules", () => {
  const cases: [key: string, value: unknown, rule: Rule][] = [
    ["ro", ["a", "/b"], roDirs("/base/a", "/b")],
    ["rw", ["."], rwDirs("/base")],
    ["roFiles", ["./a//b"], roFiles("/base/a//b")],
    ["rwFiles", ["../a"], rwFiles("/base/../a")],
    ["paths", [{ access: "ro", paths: ["a"] }], roDirs("/base/a")],
    ["paths", [{ access: "rw", paths: ["a"], refer: true }], rwDirs("/base/a").withRefer()],
    ["paths", [{ access: "roFiles", paths: ["a"], refer: false }], roFiles("/base/a")],
    ["paths", [{ access: "rwFiles", paths: ["a"], ifMissing: "fail" }], rwFiles("/base/a")],
    [
      "paths",
      [{ access: ["read_dir", "read_file"], paths: ["/a", "b"], ifMissing: "skip" }],
      pathAccess(["read_file", "read_dir"], "/a", "/base/b").ignoreIfMissing(),
    ],
    ["bindTcp", [0, 80], bindTcp(0, 80)],
    ["connectTcp", [443], connectTcp(443)],
    ["bindUdp", [0], bindUdp(0)],
    ["connectSendUdp", [53], connectSendUdp(53)],
  ];
  for (const [key, value, rule] of cases) {
    test(`${key}: ${JSON.stringify(value)}`, () => {
      const policy = read({ [key]: value });
      expect(policy.rules).toEqual([rule]);
      expect(policy.config).toEqual(strict);
    });
  }

  test("keys add up, and lists may be empty", () => {
    const { rules } = read({ ro: ["/a"], rw: [], bindTcp: [], paths: [], presets: [] });
    expect(rules).toEqual([roDirs("/a"), rwDirs(...([] as string[])), bindTcp()]);
  });
});

describe("what is restricted", () => {
  test("an empty policy allows nothing, strictly", () => {
    expect(read({})).toEqual(
      new Policy({ config: strict, rules: [], source: "", notation: "key" }),
    );
  });

  test("abi and bestEffort choose the Config", () => {
    expect(read({ abi: 3 }).config).toEqual(landlock.V3);
    expect(read({ bestEffort: false }).config).toEqual(strict);
    expect(read({ abi: 5, bestEffort: true }).config).toEqual(landlock.V5.bestEffort());
    const atLeast = read({ bestEffort: { atLeast: 4 } }).config;
    expect(atLeast).toEqual(strict.bestEffort({ atLeast: 4 }));
  });

  test("unrestricted leaves a family alone, and nothing else does", () => {
    const { fs, net, scoped } = strict;
    const none = { fs: [], net: [], scoped: [] };
    const cases = { paths: { net, scoped }, net: { fs, scoped }, scoped: { fs, net } };
    for (const [family, kept] of Object.entries(cases)) {
      const { config } = read({ unrestricted: [family] });
      expect(config).toEqual(withRights(strict, { ...none, ...kept }));
    }
    expect(read({ unrestricted: [] }).config).toEqual(strict);
  });

  test("unrestricted leaves single rights on ports alone, as landlock.config() without them", () => {
    const { net } = read({ unrestricted: ["connectTcp", "connectSendUdp"], bindTcp: [80] }).config;
    expect(net).toEqual(landlock.config({ net: ["bind_tcp", "bind_udp"] }).net);
    const { config, rules } = read({
      abi: 4,
      unrestricted: ["paths", "bindTcp", "scoped"],
      connectTcp: [443],
      presets: ["dns=ports"],
    });
    expect([config.fs, config.net, config.scoped]).toEqual([[], ["connect_tcp"], []]);
    expect(rules).toEqual([connectTcp(443), connectTcp(53)]);
  });

  test("the key $schema means nothing", () => {
    expect(read({ $schema: "x.json" }).config).toEqual(strict);
  });
});

test("a key that is undefined is absent", () => {
  const policy = read({ ro: undefined, bindTcp: undefined, unrestricted: ["net"] });
  expect(policy.rules).toEqual([]);
});

test("a Policy is frozen plain data, all of which JSON carries and printing shows", () => {
  const policy = read({ ro: ["/a"] });
  expect(Object.isFrozen(policy) && Object.isFrozen(policy.rules)).toBe(true);
  const { config, rules } = policy;
  expect(JSON.parse(JSON.stringify(policy))).toEqual(JSON.parse(JSON.stringify({ config, rules })));
  const text = Bun.inspect(policy);
  expect(text).toContain('"/a"');
  expect(text).not.toContain("restrict()");
});

test("without a base, relative paths belong to the current directory", () => {
  expect(parsePolicy({ ro: ["a"] }).rules).toEqual([roDirs(`${process.cwd()}/a`)]);
  expect(parsePolicy({ ro: ["."] }, { base: "b" }).rules).toEqual([roDirs(`${process.cwd()}/b`)]);
  expect(parsePolicy({ ro: [".", "a"] }, { base: "/" }).rules).toEqual([roDirs("/", "/a")]);
});

const preset = composite(roDirs("/a").withRefer(), composite(connectSendUdp(53), bindTcp(0)));

test("handledPart() keeps what the Config handles, without nesting", () => {
  expect(handledPart(preset, landlock.V11)).toEqual([
    roDirs("/a").withRefer(),
    connectSendUdp(53),
    bindTcp(0),
  ]);
});

test("handledPart() drops families and rights that the Config leaves alone", () => {
  expect(handledPart(preset, landlock.V1)).toEqual([roDirs("/a")]);
  expect(handledPart(preset, landlock.V4)).toEqual([roDirs("/a").withRefer(), bindTcp(0)]);
  const net = landlock.config({ net: ["connect_send_udp"] });
  expect(handledPart(preset, net)).toEqual([connectSendUdp(53)]);
  expect(handledPart(pathAccess(["truncate"], "/a"), landlock.V2)).toEqual([]);
});

test("what handledPart() returns has a plan under the Config, on any kernel", () => {
  for (const config of [landlock.V1, landlock.V4, landlock.V11]) {
    const rules: Rule[] = handledPart(preset, config);
    expect(() => config.bestEffort().plan(...rules)).not.toThrow();
  }
});
