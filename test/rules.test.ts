/** Rule constructors and modifiers: exact rights, frozen plain data. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import {
  bindTcp,
  bindUdp,
  composite,
  connectSendUdp,
  connectTcp,
  FsRule,
  landlock,
  NetRule,
  pathAccess,
  planFor,
  roDirs,
  roFiles,
  rwDirs,
  rwFiles,
  type FsRight,
  type Kernel,
  type Rule,
} from "../src/index.ts";

const newest: Kernel = { abi: 11, errata: 0xff, state: "enabled" };

const preset = { kind: "fs", explicit: [], onFile: "narrow", onMissing: "fail", onDenial: "log" };

// go-landlock: accessFSRead and accessFSReadWrite, and each with & accessFile.
const presets: [make: typeof roDirs, access: string[]][] = [
  [roDirs, ["execute", "read_file", "read_dir"]],
  [
    rwDirs,
    [
      ...["execute", "write_file", "read_file", "read_dir", "remove_dir", "remove_file"],
      ...["make_char", "make_dir", "make_reg", "make_sock", "make_fifo", "make_block", "make_sym"],
      ...["truncate"],
    ],
  ],
  [roFiles, ["execute", "read_file"]],
  [rwFiles, ["execute", "write_file", "read_file", "truncate"]],
];

for (const [make, access] of presets) {
  test(`${make.name}() grants what go-landlock grants, and no more`, () => {
    const paths = ["/a", "./b", "c/ü"];
    expect({ ...make(...paths) }).toEqual({ ...preset, access, paths } as never);
    expect(make(...([] as string[]))).toEqual({ ...preset, access, paths: [] } as never);
  });
}

test("pathAccess() grants exactly the rights it names, in the kernel's order", () => {
  const rule = pathAccess(["refer", "truncate", "execute"], "/a");
  const access = ["execute", "refer", "truncate"];
  expect({ ...rule }).toEqual({
    ...preset,
    access,
    explicit: access,
    paths: ["/a"],
    onFile: "fail",
  } as never);
  expect(pathAccess([], "/a").access).toEqual([]);
});

const added: [name: string, modify: (rule: FsRule) => FsRule, right: FsRight][] = [
  ["withRefer", (rule) => rule.withRefer(), "refer"],
  ["withIoctlDev", (rule) => rule.withIoctlDev(), "ioctl_dev"],
  ["withResolveUnix", (rule) => rule.withResolveUnix(), "resolve_unix"],
];
for (const [name, modify, right] of added) {
  test(`${name}() adds ${right} by name, in a new rule`, () => {
    for (const rule of [roDirs("/a"), rwFiles("/a"), pathAccess(["execute"], "/a")]) {
      const before = JSON.stringify(rule);
      const more = modify(rule);
      expect(more).toBeInstanceOf(FsRule);
      expect(JSON.stringify(rule)).toBe(before);
      expect(new Set(more.access)).toEqual(new Set([...rule.access, right]));
      expect(new Set(more.explicit)).toEqual(new Set([...rule.explicit, right]));
      const { access: _, explicit: __, ...rest } = rule;
      expect(more).toMatchObject(rest);
      expect(modify(more)).toEqual(more);
    }
  });
}

test("ignoreIfMissing(), createIfMissing() and quiet() change one field each, in a new rule", () => {
  const rule = roDirs("/a");
  expect({ ...rule.ignoreIfMissing() }).toEqual({ ...rule, onMissing: "skip" });
  expect({ ...rule.createIfMissing() }).toEqual({ ...rule, onMissing: "create" });
  expect({ ...rule.quiet() }).toEqual({ ...rule, onDenial: "quiet" });
  const port = bindTcp(1);
  expect({ ...port.quiet() }).toEqual({ ...port, onDenial: "quiet" });
  expect([rule.onMissing, rule.onDenial, port.onDenial]).toEqual(["fail", "log", "log"]);
});

test("modifiers commute", () => {
  const one = rwDirs("/a").withRefer().quiet().withIoctlDev().ignoreIfMissing().withResolveUnix();
  const two = rwDirs("/a").withResolveUnix().ignoreIfMissing().withIoctlDev().quiet().withRefer();
  expect(one).toEqual(two);
  expect(one.access).toHaveLength(17);
});

const ports = { bindTcp, connectTcp, bindUdp, connectSendUdp };
const portRights = {
  bindTcp: "bind_tcp",
  connectTcp: "connect_tcp",
  bindUdp: "bind_udp",
  connectSendUdp: "connect_send_udp",
} as const;
for (const name of Object.keys(ports) as (keyof typeof ports)[]) {
  test(`${name}() grants ${portRights[name]} on ports from 0 to 65535`, () => {
    const data = { kind: "net", access: [portRights[name]], onDenial: "log" } as const;
    expect({ ...ports[name](0, 443, 65535) }).toEqual({ ...data, ports: [0, 443, 65535] });
    expect({ ...ports[name]() }).toEqual({ ...data, ports: [] });
  });
}

test("bindTcp() takes -0 as 0", () => {
  expect(JSON.stringify(bindTcp(-0))).toBe(JSON.stringify(bindTcp(0)));
});

test("composite() keeps its rules as they are, nests, and may be empty", () => {
  const inner = composite(bindTcp(1));
  expect({ ...composite(roDirs("/a"), inner) }).toEqual({
    kind: "composite",
    rules: [roDirs("/a"), inner],
  });
  expect({ ...composite() }).toEqual({ kind: "composite", rules: [] });
});

test("composite() makes rules of plain data", () => {
  const { rules } = composite({ ...roDirs("/a") }, { ...bindTcp(1) }, { ...composite() });
  expect(rules).toEqual([roDirs("/a"), bindTcp(1), composite()]);
  expect([rules[0], rules[1]].map((rule) => rule!.constructor)).toEqual([FsRule, NetRule] as never);
});

test("composite() puts the rights of plain data into the kernel's order", () => {
  const access: FsRight[] = ["truncate", "execute"];
  const data = { ...pathAccess(["execute"], "/a"), access, explicit: access };
  expect(composite(data)).toEqual(composite(pathAccess(access, "/a")));
});

test("composite() leaves plain data as it was", () => {
  const data = { ...roDirs("/a"), paths: ["/a"] };
  const { rules } = composite(data);
  expect(Object.isFrozen(data.paths)).toBeFalse();
  data.paths.push("/b");
  expect(rules).toEqual([roDirs("/a")]);
});

test("roDirs() takes file: URLs, decoded", () => {
  const urls = ["file:///a%20b/%C3%BC", "file://localhost/c", "file:/d/../e"];
  expect(roDirs(...urls.map((url) => new URL(url))).paths).toEqual(["/a b/ü", "/c", "/e"]);
});

const samples: [name: string, rule: Rule][] = [
  ["FsRule", rwDirs("/a", "/b").withRefer().ignoreIfMissing().quiet()],
  ["NetRule", bindTcp(80, 443).quiet()],
  ["CompositeRule", composite(composite(roFiles("/c")), connectTcp(9))],
];

function expectFrozen(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  expect(Object.isFrozen(value)).toBeTrue();
  for (const part of Object.values(value)) expectFrozen(part);
}

for (const [name, rule] of samples) {
  test(`${name} is frozen, and keeps no hold on what it was made of`, () => {
    expectFrozen(rule);
    const paths = ["/a"];
    const rights: FsRight[] = ["execute"];
    const made = [roDirs(...paths), pathAccess(rights, ...paths)];
    rights.push("refer");
    paths.push("/b");
    expect(made.map((one) => one.paths.length)).toEqual([1, 1]);
    expect(made[1]!.access).toEqual(["execute"]);
  });

  test(`${name} is all data: JSON carries it, and the copy works in its place`, () => {
    const copy = JSON.parse(JSON.stringify(rule)) as Rule;
    expect(composite(copy)).toEqual(composite(rule));
    expect(planFor(landlock.V11, [copy], newest)).toEqual(planFor(landlock.V11, [rule], newest));
    const { V11 } = landlock;
    expect(V11.bestEffort().plan(copy)).toEqual(V11.bestEffort().plan(rule));
  });

  test(`${name} shows its data and nothing else in Bun.inspect()`, () => {
    const text = Bun.inspect(rule);
    expect(text).not.toMatch(/Function|withRefer|withIoctlDev|ignoreIfMissing|quiet:/);
    const strings = JSON.stringify(rule)
      .match(/"[^"]+"/g)!
      .map((quoted) => quoted.slice(1, -1));
    for (const value of strings) expect(text).toContain(value);
  });
}

const printed: [what: string, expression: string][] = [
  ["an FsRule", "roDirs('/deep/path')"],
  ["a Config", "landlock.V11"],
  ["nested rules", "composite(composite(roDirs('/deep/path')))"],
  ["a Plan", `planFor(landlock.V11, [roDirs('/deep/path')], ${JSON.stringify(newest)})`],
];
for (const [what, expression] of printed) {
  test(`console.log shows all of ${what}`, () => {
    const index = JSON.stringify(join(import.meta.dir, "../src/index.ts"));
    const script = `
      import { composite, landlock, planFor, roDirs } from ${index};
      console.log(${expression});
      console.log("\\n" + JSON.stringify(${expression}));`;
    const child = Bun.spawnSync([process.execPath, "-e", script]);
    expect(child.stderr.toString()).toBe("");
    const [text, json] = child.stdout.toString().split("\n\n") as [string, string];
    expect(text).not.toMatch(/Function|\[Array \.\.\.\]|\[Object \.\.\.\]/);
    for (const value of json.match(/"[^"]+"/g)!) expect(text).toContain(value.slice(1, -1));
  });
}
