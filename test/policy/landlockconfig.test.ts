/** The Landlock project's own format: samples in its words, and its groups of rights. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import {
  accessFs,
  landlock,
  loadPolicy,
  parsePolicy,
  type FsRight,
  type FsRule,
  type NetRule,
} from "../../src/index.ts";
import { rightsOf } from "../../src/kernel/abi.ts";

const samples = join(import.meta.dir, "samples");

const upTo = (abi: number) => rightsOf(abi).fs;
const readExecute: FsRight[] = ["execute", "read_file", "read_dir", "refer"];
const readWrite = (abi: number) => upTo(abi).filter((right) => right !== "execute");

/** A short form of a sample's result. */
function meaning(name: string) {
  const { config, rules } = loadPolicy(join(samples, name));
  const { fs, net, scoped, mode, atLeast, logging } = config;
  expect({ mode, atLeast, logging }).toEqual({ mode: "best-effort", atLeast: 0, logging: [] });
  return {
    handled: { fs, net, scoped },
    rules: rules.map((rule) => {
      const { access, ...rest } = rule as FsRule | NetRule;
      return { access, places: rest.kind === "fs" ? rest.paths : rest.ports };
    }),
  };
}

const web = {
  handled: { fs: upTo(5), net: ["bind_tcp"], scoped: [] },
  rules: [
    { access: readExecute, places: [samples, "/usr", "/bin"] },
    { access: readWrite(5), places: ["/tmp"] },
    { access: ["bind_tcp"], places: [80, 443] },
  ],
};

const composed = {
  handled: { fs: upTo(4), net: [], scoped: [] },
  rules: [
    { access: readExecute, places: ["/usr", "/bin", "/home/someone/bin"] },
    { access: readWrite(4), places: ["/tmp", "/var/tmp", "/home/someone/tmp"] },
  ],
};

const expected: Record<string, unknown> = {
  "groups.toml": {
    handled: { fs: upTo(5), net: [], scoped: [] },
    rules: [
      { access: readExecute, places: [samples, "/usr", "/bin", "/lib", "/etc"] },
      { access: readWrite(5), places: ["/tmp", "/var/tmp", "/home", "/srv"] },
    ],
  },
  "inferred.toml": { ...web, handled: { ...web.handled, net: [] }, rules: web.rules.slice(0, 2) },
  "ipc.json": {
    handled: {
      fs: [],
      net: ["bind_tcp", "connect_tcp"],
      scoped: ["abstract_unix_socket", "signal"],
    },
    rules: [],
  },
  "web.json": web,
  "web.toml": web,
  "by-name.json": {
    handled: { fs: upTo(5), net: [], scoped: [] },
    rules: [
      { access: readExecute, places: [samples, "/usr"] },
      { access: ["write_file", "read_file", "make_reg", "truncate"], places: ["/tmp"] },
    ],
  },
  "composed.json": composed,
  "composed.toml": composed,
  "unused-variable.toml": {
    handled: composed.handled,
    rules: [{ access: readExecute, places: ["/home/someone/bin"] }],
  },
};

describe("samples", () => {
  for (const [name, result] of Object.entries(expected)) {
    test(name, () => expect(meaning(name)).toEqual(result as ReturnType<typeof meaning>));
  }

  test("every sample that is not ours is covered", () => {
    const names = [...new Bun.Glob("*").scanSync(samples)].filter((name) => !/^own\./.test(name));
    expect(names.sort()).toEqual(Object.keys(expected).sort());
  });
});

test("groups are those of the ABI", () => {
  for (let abi = 1; abi <= 12; abi++) {
    const all = rightsOf(abi);
    const { config, rules } = parsePolicy({
      abi,
      ruleset: [
        { handledAccessFs: ["abi.all"], handledAccessNet: ["abi.all"], scoped: ["abi.all"] },
      ],
      pathBeneath: [
        { allowedAccess: ["abi.all"], parent: ["/a"] },
        { allowedAccess: ["abi.read_execute"], parent: ["/b"] },
        { allowedAccess: ["abi.read_write"], parent: ["/c"] },
      ],
      netPort: [{ allowedAccess: ["abi.all"], port: [1] }],
    });
    const { fs, net, scoped } = all;
    expect(config).toEqual(landlock.config({ fs, net, scoped }).bestEffort());
    const reading = readExecute.filter((right) => all.fs.includes(right));
    const writing = all.fs.filter((right) => right !== "execute");
    const access = rules.map((rule) => (rule as FsRule | NetRule).access);
    expect(access).toEqual([all.fs, reading, writing, ...(abi < 4 ? [] : [all.net])]);
  }
});

test("what a rule grants is handled, and what is named twice counts once", () => {
  const { config, rules } = parsePolicy({
    ruleset: [{ handledAccessFs: ["read_file", "read_file"] }, { scoped: ["signal"] }],
    path_beneath: [{ allowed_access: ["write_file", "execute", "execute"], parent: ["/a", "/a"] }],
    net_port: [{ allowed_access: ["connect_tcp", "bind_tcp"], port: [443, 443] }],
  });
  const handled = {
    fs: ["execute", "write_file", "read_file"] as const,
    net: ["bind_tcp", "connect_tcp"] as const,
    scoped: ["signal"] as const,
  };
  expect(config).toEqual(landlock.config(handled).bestEffort());
  expect(rules).toMatchObject([
    { access: ["execute", "write_file"], paths: ["/a"], onFile: "narrow", onMissing: "skip" },
    { access: ["bind_tcp", "connect_tcp"], ports: [443] },
  ]);
});

test("a variable may be named twice, or have no value", () => {
  const rule = (parent: string[]) => [{ allowedAccess: ["execute"], parent }];
  const variable = [
    { name: "a", literal: ["/x", "/y"] },
    { name: "a", literal: ["/y", "/z"] },
    { name: "none" },
  ];
  const { rules } = parsePolicy({ variable, pathBeneath: rule(["${a}", "${none}", "$${a}"]) });
  expect((rules[0] as FsRule).paths).toEqual(["/x", "/y", "/z", `${process.cwd()}/\${a}`]);
});

test("the newest right is granted by its name", () => {
  const newest = accessFs[accessFs.length - 1]!;
  const { rules } = parsePolicy({
    pathBeneath: [{ allowedAccess: [newest], parent: ["/"] }],
  });
  expect(rules).toMatchObject([{ access: [newest] }]);
});
