/**
 * Checks numbers and layouts against `include/uapi/linux/landlock.h` of Linux 7.3, copied here, and
 * against this machine's C compiler and headers if it has them.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { accessFs, accessNet, scopes, type RestrictFlag } from "../src/index.ts";
import {
  encodeNetPortAttr,
  encodeRulesetAttr,
  maskOf,
  pathBeneathAttr,
  restrictFlags,
  rightsOf,
  setPathBeneath,
} from "../src/kernel/abi.ts";
import * as uapi from "../src/kernel/uapi.ts";
import { tempDir } from "./harness.ts";

/** Family, names and bits as in the header. */
const header: Record<string, number> = {
  LANDLOCK_ACCESS_FS_EXECUTE: 0,
  LANDLOCK_ACCESS_FS_WRITE_FILE: 1,
  LANDLOCK_ACCESS_FS_READ_FILE: 2,
  LANDLOCK_ACCESS_FS_READ_DIR: 3,
  LANDLOCK_ACCESS_FS_REMOVE_DIR: 4,
  LANDLOCK_ACCESS_FS_REMOVE_FILE: 5,
  LANDLOCK_ACCESS_FS_MAKE_CHAR: 6,
  LANDLOCK_ACCESS_FS_MAKE_DIR: 7,
  LANDLOCK_ACCESS_FS_MAKE_REG: 8,
  LANDLOCK_ACCESS_FS_MAKE_SOCK: 9,
  LANDLOCK_ACCESS_FS_MAKE_FIFO: 10,
  LANDLOCK_ACCESS_FS_MAKE_BLOCK: 11,
  LANDLOCK_ACCESS_FS_MAKE_SYM: 12,
  LANDLOCK_ACCESS_FS_REFER: 13,
  LANDLOCK_ACCESS_FS_TRUNCATE: 14,
  LANDLOCK_ACCESS_FS_IOCTL_DEV: 15,
  LANDLOCK_ACCESS_FS_RESOLVE_UNIX: 16,
  LANDLOCK_ACCESS_NET_BIND_TCP: 0,
  LANDLOCK_ACCESS_NET_CONNECT_TCP: 1,
  LANDLOCK_ACCESS_NET_BIND_UDP: 2,
  LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP: 3,
  LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET: 0,
  LANDLOCK_SCOPE_SIGNAL: 1,
  LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF: 0,
  LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON: 1,
  LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF: 2,
  LANDLOCK_RESTRICT_SELF_TSYNC: 3,
  LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS: 4,
};

const families: [prefix: string, names: readonly string[]][] = [
  ["LANDLOCK_ACCESS_FS_", accessFs],
  ["LANDLOCK_ACCESS_NET_", accessNet],
  ["LANDLOCK_SCOPE_", scopes],
];

const flags: Record<RestrictFlag, string> = {
  log_same_exec_off: "LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF",
  log_new_exec_on: "LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON",
  log_subdomains_off: "LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF",
  tsync: "LANDLOCK_RESTRICT_SELF_TSYNC",
  no_new_privs: "LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS",
};

/** Every name of the library as the header spells it, with its mask. */
function ownMasks(): Record<string, bigint> {
  const rights = families.flatMap(([prefix, names]) =>
    names.map((name) => [prefix + name.toUpperCase(), BigInt(maskOf([name], names))]),
  );
  const ofFlags = Object.entries(flags).map(([flag, name]) => [
    name,
    BigInt(maskOf([flag as RestrictFlag], restrictFlags)),
  ]);
  return Object.fromEntries([...rights, ...ofFlags]);
}

test("maskOf() gives every name the bit of the header, and there are no others", () => {
  const bits = Object.entries(header).map(([name, bit]) => [name, 1n << BigInt(bit)]);
  expect(ownMasks()).toEqual(Object.fromEntries(bits) as never);
});

test("maskOf() joins bits, and repeats do not add up", () => {
  expect(maskOf([], accessFs)).toBe(0);
  expect(maskOf(["no_new_privs", "tsync", "log_new_exec_on"], restrictFlags)).toBe(2 + 8 + 16);
  expect(maskOf(["resolve_unix", "execute"], accessFs)).toBe(0x10001);
  expect(maskOf(["signal", "signal"], scopes)).toBe(2);
  expect(maskOf(accessFs, accessFs)).toBe(0x1ffff);
});

/** Constants of Landlock, and those of Linux that current headers may lack or that matter most. */
const constants = {
  LANDLOCK_CREATE_RULESET_VERSION: 1,
  LANDLOCK_CREATE_RULESET_ERRATA: 2,
  LANDLOCK_ADD_RULE_QUIET: 1,
  LANDLOCK_RULE_PATH_BENEATH: 1,
  LANDLOCK_RULE_NET_PORT: 2,
  MFD_CLOEXEC: 1,
  MFD_EXEC: 16,
  PR_SET_NO_NEW_PRIVS: 38,
  PR_GET_NO_NEW_PRIVS: 39,
  O_PATH: 0x200000,
};

test("the constants have the header's values", () => {
  expect(uapi).toMatchObject(constants);
});

test("the system calls have their numbers, Landlock's the same on every CPU", () => {
  expect(uapi.NR).toMatchObject({
    landlock_create_ruleset: 444,
    landlock_add_rule: 445,
    landlock_restrict_self: 446,
    prctl: process.arch === "arm64" ? 167 : 157,
  });
});

const words = (bytes: Uint8Array) => [...new BigUint64Array(bytes.slice().buffer)];

test("encodeRulesetAttr() has the size that a kernel of each ABI knows", () => {
  const sizes = [8, 8, 8, 16, 16, 24, 24, 24, 24, 48, 48, 48];
  const none = { fs: [], net: [], scoped: [] };
  const seen = sizes.map((_, i) => encodeRulesetAttr(rightsOf(i + 1), none, i + 1).length);
  expect(seen).toEqual(sizes);
});

test("encodeRulesetAttr() puts fs, net, scoped and their quiet twins in this order", () => {
  const quiet = { fs: ["read_dir"], net: ["bind_udp"], scoped: ["signal"] } as const;
  expect(words(encodeRulesetAttr(rightsOf(11), quiet, 11))).toEqual([
    0x1ffffn,
    0xfn,
    3n,
    8n,
    4n,
    2n,
  ]);
  expect(words(encodeRulesetAttr(rightsOf(6), quiet, 6))).toEqual([0xffffn, 3n, 3n]);
  expect(words(encodeRulesetAttr(rightsOf(2), quiet, 2))).toEqual([0x3fffn]);
});

test("pathBeneathAttr() packs u64 rights and an s32 descriptor into 12 bytes", () => {
  const attr = pathBeneathAttr();
  const bytes = new Uint8Array(attr.buffer);
  setPathBeneath(attr, 0x1_0203_0405, -100);
  expect([...bytes]).toEqual([5, 4, 3, 2, 1, 0, 0, 0, 0x9c, 0xff, 0xff, 0xff]);
  setPathBeneath(attr, 1, 7);
  expect([...bytes]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0]);
});

test("encodeNetPortAttr() has u64 rights and a u64 port in host byte order, 16 bytes", () => {
  expect(words(encodeNetPortAttr(0xf, 0x1234))).toEqual([0xfn, 0x1234n]);
  expect(words(encodeNetPortAttr(1, 65535))).toEqual([1n, 65535n]);
});

const gcc = Bun.which("gcc");
const stdio = "#include <stdio.h>\n";
const newestName = "LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS";

function compile(source: string): string {
  const dir = tempDir();
  const command = [gcc!, "-x", "c", "-o", join(dir, "program"), "-"];
  const { exitCode, stderr } = Bun.spawnSync(command, { stdin: Buffer.from(source) });
  if (exitCode !== 0) throw new Error(`gcc: ${stderr}`);
  return Bun.spawnSync([join(dir, "program")]).stdout.toString();
}

function canCompile(): boolean {
  if (gcc === null) return false;
  try {
    compile(`${stdio}int main(void) { return 0; }`);
    return true;
  } catch {
    return false;
  }
}

/** The machine's values for these names; leaves out those it lacks. */
function values(includes: string[], names: string[]): Record<string, bigint> {
  const lines = names.map(
    (name) => `#ifdef ${name}
    printf("${name} %lld\\n", (long long)${name});
    #endif`,
  );
  const source = `#define _GNU_SOURCE
    ${stdio}
    ${includes.map((file) => `#if __has_include(<${file}>)\n#include <${file}>\n#endif`).join("\n")}
    int main(void) {\n${lines.join("\n")}\nreturn 0; }`;
  const rows = compile(source).match(/.+/g) ?? [];
  return Object.fromEntries(rows.map((row) => row.split(" ")).map(([k, v]) => [k!, BigInt(v!)]));
}

const hasGcc = process.platform === "linux" && canCompile();
const withGcc = test.skipIf(!hasGcc);
const missingGcc = hasGcc ? "" : " (needs Linux, gcc and C headers)";

withGcc(`the structs have the compiler's layout${missingGcc}`, () => {
  const output = compile(`#include <stddef.h>
    #include <stdint.h>
    #include <stdio.h>
    struct path { uint64_t allowed_access; int32_t parent_fd; } __attribute__((packed));
    struct port { uint64_t allowed_access; uint64_t port; };
    struct ruleset { uint64_t fs, net, scoped, quiet_fs, quiet_net, quiet_scoped; };
    int main(void) {
      printf("%zu %zu %zu %zu %zu %zu", sizeof(struct path), offsetof(struct path, parent_fd),
        sizeof(struct port), offsetof(struct port, port), sizeof(struct ruleset),
        offsetof(struct ruleset, quiet_fs));
    }`);
  expect(output).toBe("12 8 16 8 48 24");
});

withGcc(`the system's own numbers are those of its headers${missingGcc}`, () => {
  const plain = ["O_PATH", "O_CLOEXEC", "O_DIRECTORY", "AT_FDCWD", "PR_SET_NO_NEW_PRIVS"];
  const names = [
    ...plain,
    "PR_GET_NO_NEW_PRIVS",
    "MFD_CLOEXEC",
    "MFD_EXEC",
    "STATX_NLINK",
    "TIOCGWINSZ",
  ];
  const calls = Object.entries(uapi.NR).map(([name, number]) => [`SYS_${name}`, number] as const);
  const own = { ...uapi, ...Object.fromEntries(calls) } as unknown as Record<string, number>;
  const includes = [
    "fcntl.h",
    "sys/mman.h",
    "sys/prctl.h",
    "sys/ioctl.h",
    "sys/stat.h",
    "sys/syscall.h",
  ];
  const found = values(includes, [...names, ...calls.map(([name]) => name)]);
  expect(Object.keys(found)).toEqual(expect.arrayContaining(plain));
  for (const [name, value] of Object.entries(found)) expect(BigInt(own[name]!), name).toBe(value);
});

const known = hasGcc ? values(["linux/landlock.h"], Object.keys(header)) : {};
const isComplete = newestName in known;
const without = isComplete ? "" : ` (needs gcc and a linux/landlock.h with ${newestName})`;

test.skipIf(!isComplete)(`the names have the bits of this machine's header${without}`, () => {
  expect(known).toEqual(ownMasks());
});
