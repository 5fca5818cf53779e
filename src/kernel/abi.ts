/**
 * What each Landlock ABI added. All other code takes its knowledge of versions from this table.
 *
 * Source: `include/uapi/linux/landlock.h` and `Documentation/userspace-api/landlock.rst` of Linux
 * 7.3. A right's bit is its position in the table.
 */
const table = [
  {
    abi: 1,
    linux: "5.13",
    attrBytes: 8,
    fs: [
      "execute",
      "write_file",
      "read_file",
      "read_dir",
      "remove_dir",
      "remove_file",
      "make_char",
      "make_dir",
      "make_reg",
      "make_sock",
      "make_fifo",
      "make_block",
      "make_sym",
    ],
    net: [],
    scoped: [],
    flags: [],
  },
  { abi: 2, linux: "5.19", attrBytes: 8, fs: ["refer"], net: [], scoped: [], flags: [] },
  { abi: 3, linux: "6.2", attrBytes: 8, fs: ["truncate"], net: [], scoped: [], flags: [] },
  {
    abi: 4,
    linux: "6.7",
    attrBytes: 16,
    fs: [],
    net: ["bind_tcp", "connect_tcp"],
    scoped: [],
    flags: [],
  },
  { abi: 5, linux: "6.10", attrBytes: 16, fs: ["ioctl_dev"], net: [], scoped: [], flags: [] },
  {
    abi: 6,
    linux: "6.12",
    attrBytes: 24,
    fs: [],
    net: [],
    scoped: ["abstract_unix_socket", "signal"],
    flags: [],
  },
  {
    abi: 7,
    linux: "6.15",
    attrBytes: 24,
    fs: [],
    net: [],
    scoped: [],
    flags: ["log_same_exec_off", "log_new_exec_on", "log_subdomains_off"],
  },
  { abi: 8, linux: "7.0", attrBytes: 24, fs: [], net: [], scoped: [], flags: ["tsync"] },
  { abi: 9, linux: "7.1", attrBytes: 24, fs: ["resolve_unix"], net: [], scoped: [], flags: [] },
  {
    abi: 10,
    linux: "7.2",
    attrBytes: 48,
    fs: [],
    net: ["bind_udp", "connect_send_udp"],
    scoped: [],
    flags: [],
  },
  { abi: 11, linux: "7.3", attrBytes: 48, fs: [], net: [], scoped: [], flags: ["no_new_privs"] },
] as const;

type Row = (typeof table)[number];

/** A Landlock ABI this library knows. */
export type Abi = Row["abi"];
/** A filesystem access right: `LANDLOCK_ACCESS_FS_*` in lower case. */
export type FsRight = Row["fs"][number];
/** A network access right: `LANDLOCK_ACCESS_NET_*` in lower case. */
export type NetRight = Row["net"][number];
/** A scope: `LANDLOCK_SCOPE_*` in lower case. */
export type Scope = Row["scoped"][number];
/** A flag of `landlock_restrict_self(2)`: `LANDLOCK_RESTRICT_SELF_*` in lower case. */
export type RestrictFlag = Row["flags"][number];

/** The newest ABI this library knows. It ignores what a newer kernel adds. */
export const newestAbi: Abi = table[table.length - 1]!.abi;

/** Rights of each family, by their kernel names. */
export interface Rights {
  readonly fs: readonly FsRight[];
  readonly net: readonly NetRight[];
  readonly scoped: readonly Scope[];
}

const allFlags: RestrictFlag[] = [];
for (const row of table) allFlags.push(...row.flags);
/** The flags that configure the audit log. */
export const logFlags = table[6].flags;
/** Every `landlock_restrict_self(2)` flag, in the order of the kernel's bits. */
export const restrictFlags: readonly RestrictFlag[] = allFlags;

/** All rights of an ABI. None for 0; those of the newest known ABI if `abi` is higher. */
export function rightsOf(abi: number): Rights {
  const fs: FsRight[] = [];
  const net: NetRight[] = [];
  const scoped: Scope[] = [];
  for (const row of table) {
    if (row.abi > abi) break;
    fs.push(...row.fs);
    net.push(...row.net);
    scoped.push(...row.scoped);
  }
  return { fs, net, scoped };
}

const all = rightsOf(newestAbi);
/** Every filesystem access right, in the order of the kernel's bits. */
export const accessFs: readonly FsRight[] = Object.freeze(all.fs);
/** Rights that apply to files other than directories (kernel: `ACCESS_FILE`). */
export const fileRights: readonly FsRight[] = [
  "execute",
  "write_file",
  "read_file",
  "truncate",
  "ioctl_dev",
  "resolve_unix",
];
/** Every network access right, in the order of the kernel's bits. */
export const accessNet: readonly NetRight[] = Object.freeze(all.net);
/** Every scope, in the order of the kernel's bits. */
export const scopes: readonly Scope[] = Object.freeze(all.scoped);

/** The ABI that added each feature that isn't an access right. */
export const abiOf = { logging: 7, tsync: 8, quiet: 10, noNewPrivs: 11 } as const;

/** The ABI that added a right. */
export function abiOfRight(right: FsRight | NetRight | Scope): Abi {
  const has = (row: Row) => [...row.fs, ...row.net, ...row.scoped].some((name) => name === right);
  return table.find(has)!.abi;
}

/** The Linux version that added an ABI, such as `"6.15"`. */
export function linuxOf(abi: number): string {
  return table.find((row) => row.abi === abi)!.linux;
}

/** The size in bytes of `struct landlock_ruleset_attr` that a kernel of this ABI knows. */
export function attrBytesOf(abi: number): number {
  return table[Math.min(abi, newestAbi) - 1]!.attrBytes;
}
