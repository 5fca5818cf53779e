/**
 * What each Landlock ABI added. All other code takes its knowledge of versions from this table, and
 * the masks and structs that follow from it.
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

/**
 * The mask of some names. A name's bit is its index in `all`. Masks are u64 in the kernel and
 * numbers here: these are exact up to 53 bits, but JavaScript's bit operators only handle 32.
 */
export function maskOf<Name extends string>(
  names: readonly NoInfer<Name>[],
  all: readonly Name[],
): number {
  let mask = 0;
  for (let bit = 0; bit < all.length; bit++) if (names.includes(all[bit]!)) mask += 2 ** bit;
  return mask;
}

/** Writes a u64 in little-endian order, which both CPUs use. `at` counts 32-bit words. */
function setU64(words: Uint32Array, at: number, value: number): void {
  words[at] = value;
  words[at + 1] = value / 2 ** 32;
}

/**
 * `struct landlock_ruleset_attr`, in the size that a kernel of this ABI knows.
 *
 * @param quiet Rights whose denials a quiet rule keeps out of the audit log (ABI 10)
 */
export function encodeRulesetAttr(handled: Rights, quiet: Rights, abi: number): Uint8Array {
  const words = new Uint32Array(12);
  setU64(words, 0, maskOf(handled.fs, accessFs));
  setU64(words, 2, maskOf(handled.net, accessNet));
  setU64(words, 4, maskOf(handled.scoped, scopes));
  setU64(words, 6, maskOf(quiet.fs, accessFs));
  setU64(words, 8, maskOf(quiet.net, accessNet));
  setU64(words, 10, maskOf(quiet.scoped, scopes));
  const { attrBytes } = table[Math.min(abi, newestAbi) - 1]!;
  return new Uint8Array(words.buffer, 0, attrBytes);
}

/**
 * `struct landlock_path_beneath_attr`: u64 rights and an s32 descriptor, packed. It needs an
 * ArrayBuffer of its own: the engine moves the elements of a small typed array when it compiles
 * code for that array. The kernel would then read outdated rights at the old address.
 */
export function pathBeneathAttr(): Uint32Array {
  return new Uint32Array(new ArrayBuffer(12));
}

/** Fills a `struct landlock_path_beneath_attr`. */
export function setPathBeneath(attr: Uint32Array, allowedAccess: number, parentFd: number): void {
  setU64(attr, 0, allowedAccess);
  attr[2] = parentFd;
}

/** `struct landlock_net_port_attr`: u64 rights and a u64 port in host byte order. */
export function encodeNetPortAttr(allowedAccess: number, port: number): Uint8Array {
  const words = new Uint32Array(4);
  setU64(words, 0, allowedAccess);
  setU64(words, 2, port);
  return new Uint8Array(words.buffer);
}
