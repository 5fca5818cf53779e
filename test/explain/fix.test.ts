/** Which rule is proposed for which denials. Pure: no kernel, no files. */
import { describe, expect, test } from "bun:test";
import { homedir } from "node:os";
import { parseFlags } from "../../src/cli/flags.ts";
import { fixesFor, type FixContext } from "../../src/explain/fix.ts";
import type { Layer } from "../../src/model/layer.ts";
import type { Denial } from "../../src/model/model.ts";
import type { Operation } from "../../src/model/operation.ts";
import { remediesFor } from "../../src/explain/remedy.ts";
import * as library from "../../src/index.ts";
import { accessFs, landlock, parsePolicy, pathAccess, type FsRight } from "../../src/index.ts";
import { treeOf } from "./cases.ts";

const files = treeOf({
  "/data/file": "regular",
  "/data/other": "regular",
  "/data/folder": "directory",
  "/data/socket": "socket",
  "/data/a$b": "regular",
  "/dev/tty": "char",
  "/proc/1/stat": "regular",
  [`/proc/${process.pid}/stat`]: "regular",
  "/usr/bin/tool": "regular",
  [homedir()]: "directory",
});

function on(path: string, ...rights: FsRight[]): Denial[] {
  return rights.map((right) => ({ layer: 1, right, path }));
}

function codes(denials: readonly Denial[], context?: FixContext): string[] {
  return fixesFor(denials, files, context).map(({ code }) => code);
}

describe("the shortest rule", () => {
  const table: [string, Denial[], string[]][] = [
    ["a file to read", on("/data/file", "read_file"), ['roFiles("/data/file")']],
    ["a file to write", on("/data/file", "write_file", "truncate"), ['rwFiles("/data/file")']],
    [
      "a folder to list",
      on("/data/folder", "read_dir"),
      ['roDirs("/data/folder")', 'pathAccess(["read_dir"], "/data/folder")'],
    ],
    [
      "a folder to make",
      on("/data", "make_dir"),
      ['rwDirs("/data")', 'pathAccess(["make_dir"], "/data")'],
    ],
    [
      "a file to make",
      on("/data", "make_reg", "write_file"),
      ['rwDirs("/data")', 'pathAccess(["write_file", "make_reg"], "/data")'],
    ],
    ["a device to control", on("/dev/tty", "ioctl_dev"), ['pathAccess(["ioctl_dev"], "/dev/tty")']],
    [
      "a device to read and control",
      on("/dev/tty", "read_file", "ioctl_dev"),
      ['roFiles("/dev/tty").withIoctlDev()'],
    ],
    [
      "a socket",
      on("/data/socket", "resolve_unix"),
      ['pathAccess(["resolve_unix"], "/data/socket")'],
    ],
    [
      "a move",
      [...on("/data", "refer"), ...on("/data/folder", "refer")],
      ['pathAccess(["refer"], "/data")'],
    ],
    [
      "a move out of what is not to be written",
      [...on("/data", "remove_file", "refer"), ...on("/data/folder", "make_reg", "refer")],
      [
        'rwDirs("/data").withRefer()',
        'pathAccess(["remove_file", "refer"], "/data"), pathAccess(["make_reg", "refer"], "/data/folder")',
      ],
    ],
    [
      "two files",
      [...on("/data/file", "read_file"), ...on("/data/other", "read_file")],
      ['roFiles("/data/file", "/data/other")'],
    ],
    [
      "what two layers deny",
      [...on("/data/file", "read_file"), { layer: 2, right: "read_file", path: "/data/file" }],
      ['roFiles("/data/file")'],
    ],
    [
      "ports",
      [
        { layer: 1, right: "bind_tcp", port: 0 },
        { layer: 1, right: "connect_tcp", port: 443 },
        { layer: 1, right: "connect_tcp", port: 80 },
      ],
      ["bindTcp(0), connectTcp(443, 80)"],
    ],
    [
      "UDP",
      [
        { layer: 1, right: "bind_udp", port: 0 },
        { layer: 1, right: "connect_send_udp", port: 53 },
      ],
      ["bindUdp(0), connectSendUdp(53)"],
    ],
    ["the own process in /proc", on(`/proc/${process.pid}/stat`, "read_file"), ["presets.bun()"]],
    [
      "another process in /proc",
      on("/proc/1/stat", "read_file"),
      ["presets.bun({ children: true })"],
    ],
    [
      "a program",
      on("/usr/bin/tool", "read_file", "execute"),
      ['presets.executable("/usr/bin/tool")'],
    ],
    ["a scope", [{ layer: 1, right: "signal" }], []],
    ["a port that is not known", [{ layer: 1, right: "connect_tcp" }], []],
    ["the whole machine", on("/", "read_dir"), ['pathAccess(["read_dir"], "/")']],
    ["a home", on(homedir(), "make_dir"), [`pathAccess(["make_dir"], "${homedir()}")`]],
  ];
  for (const [name, denials, expected] of table) {
    test(name, () => expect(codes(denials)).toEqual(expected));
  }

  test("truncate comes with write_file where it is denied", () => {
    const denials = on("/data", "make_reg", "write_file");
    expect(codes(denials, { handled: accessFs })[1]).toBe(
      'pathAccess(["write_file", "make_reg", "truncate"], "/data")',
    );
  });

  test("paths keep the name that the user has for them", () => {
    const linked = {
      find: (path: string, follow: boolean) => files.find(path.replace("/link", "/data"), follow),
    };
    const [fix] = fixesFor(on("/data/file", "read_file"), linked, { names: ["/link/file"] });
    expect(fix!.code).toBe('roFiles("/link/file")');
  });
});

describe("code, rule, flags and policy say the same", () => {
  const cases = [
    on("/data/file", "read_file"),
    on("/data/folder", "read_dir"),
    on("/data", "make_dir"),
    on("/data", "remove_file", "refer"),
    on("/data/a$b", "write_file"),
    on("/dev/tty", "read_file", "ioctl_dev"),
    on("/dev/tty", "ioctl_dev"),
    [...on("/data", "refer"), { layer: 1, right: "connect_tcp", port: 53 } as const],
    [{ layer: 1, right: "bind_udp", port: 0 } as const],
    on(`/proc/${process.pid}/stat`, "read_file"),
  ];
  const fixes = cases.flatMap((denials) => fixesFor(denials, files));

  for (const { code, rule, flags, policy } of fixes) {
    test(code, () => {
      const names = Object.keys(library);
      const made = new Function(...names, `return composite(${code})`);
      const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
      const fromCode = plain(made(...names.map((name) => library[name as "roDirs"]))).rules;
      const ours = plain(rule);
      expect(fromCode.length === 1 ? fromCode[0] : { kind: "composite", rules: fromCode }).toEqual(
        ours,
      );
      const planned = (rules: readonly library.Rule[]) => {
        const all = library.planFor(landlock.V11, rules, { abi: 11, errata: 15, state: "enabled" });
        return all.rules.map((one) =>
          "path" in one ? [one.path, one.access] : [one.port, one.access],
        );
      };
      const fromPolicy = parsePolicy(Bun.TOML.parse(policy)).rules;
      expect(planned(fromPolicy)).toEqual(planned([ours]));
      const fromFlags = parseFlags([...flags, "--", "true"]).rules;
      const exact = code.startsWith("pathAccess");
      if (!exact) expect(planned(fromFlags)).toEqual(planned([ours]));
      else expect(fromFlags.length).toBeGreaterThan(0);
    });
  }
  test("all of them were tried", () => expect(fixes.length).toBeGreaterThan(10));
});

describe("remedies are tried on the model", () => {
  const layer = (...rules: ReturnType<typeof pathAccess>[]): Layer => ({
    handled: { fs: accessFs, net: [], scoped: [] },
    grants: new Map(rules.map(({ access, paths }) => [`1:${paths[0]}`, new Set(access)])),
    ports: new Map(),
  });
  const move: Operation = { kind: "rename", path: "/data/folder", to: "/usr/moved" };

  test("a folder gains no right by moving", () => {
    // Its new parent grants make_dir, so the folder may move only if it already has make_dir.
    const codes = remediesFor([move], { layers: [layer()], files }).map(({ code }) => code);
    expect(codes).toEqual([
      'rwDirs("/data", "/usr").withRefer()',
      'pathAccess(["remove_dir", "make_dir", "refer"], "/data"), pathAccess(["make_dir", "refer"], "/usr")',
    ]);
  });

  test("what is allowed needs none, and what no rule can allow gets none", () => {
    expect(remediesFor([move], { layers: [], files })).toEqual([]);
    expect(remediesFor([{ kind: "scope", scope: "signal" }], { layers: [layer()], files })).toEqual(
      [],
    );
  });
});
