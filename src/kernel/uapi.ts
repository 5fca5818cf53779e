/**
 * Numbers and struct layouts of the kernel's interface, with the kernel's own names. The only
 * place where a mask is a `bigint`: masks are u64, and JavaScript's bit operators are 32-bit.
 *
 * Source: `include/uapi/linux/landlock.h`, `landlock_add_rule(2)`, `open(2)`, `prctl(2)`.
 */
import { accessFs, accessNet, attrBytesOf, scopes, type Rights } from "./abi.ts";

export const LANDLOCK_CREATE_RULESET_VERSION = 1 << 0;
export const LANDLOCK_CREATE_RULESET_ERRATA = 1 << 1;
export const LANDLOCK_ADD_RULE_QUIET = 1 << 0;
export const LANDLOCK_RULE_PATH_BENEATH = 1;
export const LANDLOCK_RULE_NET_PORT = 2;

export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;
/** arm64 has its own value (`arch/arm64/include/uapi/asm/fcntl.h`). */
export const O_DIRECTORY = process.arch === "arm64" ? 0o40000 : 0o200000;
export const AT_FDCWD = -100;
export const F_SETFD = 2;
export const CLOSE_RANGE_CLOEXEC = 1 << 2;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const STATX_NLINK = 0x4;
export const STATX_ATTR_MOUNT_ROOT = 0x2000;

export const PR_SET_NO_NEW_PRIVS = 38;
export const PR_GET_NO_NEW_PRIVS = 39;
export const RLIMIT_NOFILE = 7;
export const MFD_CLOEXEC = 0x1;
export const MFD_EXEC = 0x10;

/** System call numbers; those from 424 on are the same on every CPU. */
export const NR = {
  landlock_create_ruleset: 444,
  landlock_add_rule: 445,
  landlock_restrict_self: 446,
  close_range: 436,
  ...(process.arch === "arm64"
    ? {
        fcntl: 25,
        prctl: 167,
        prlimit64: 261,
        memfd_create: 279,
        pipe2: 59,
        read: 63,
        sendfile: 71,
        statx: 291,
      }
    : {
        fcntl: 72,
        prctl: 157,
        prlimit64: 302,
        memfd_create: 319,
        pipe2: 293,
        read: 0,
        sendfile: 40,
        statx: 332,
      }),
} as const;

/** The mask of some names; a name's bit is its place in `all`, which has 53 names at most. */
export function maskOf<Name extends string>(
  names: readonly NoInfer<Name>[],
  all: readonly Name[],
): bigint {
  let mask = 0;
  for (const [bit, name] of all.entries()) if (names.includes(name)) mask += 2 ** bit;
  return BigInt(mask);
}

/**
 * `struct landlock_ruleset_attr`, in the size that a kernel of this ABI knows.
 *
 * @param quiet What a denial of which is not logged where a quiet rule covers it, ABI 10
 */
export function encodeRulesetAttr(handled: Rights, quiet: Rights, abi: number): Uint8Array {
  const attr = new BigUint64Array([
    maskOf(handled.fs, accessFs),
    maskOf(handled.net, accessNet),
    maskOf(handled.scoped, scopes),
    maskOf(quiet.fs, accessFs),
    maskOf(quiet.net, accessNet),
    maskOf(quiet.scoped, scopes),
  ]);
  return new Uint8Array(attr.buffer, 0, attrBytesOf(abi));
}

/** A writer of `struct landlock_path_beneath_attr`: u64 rights, s32 descriptor, packed. */
export function pathBeneathAttr() {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  return {
    bytes,
    set(allowedAccess: bigint, parentFd: number) {
      view.setBigUint64(0, allowedAccess, true);
      view.setInt32(8, parentFd, true);
    },
  };
}

/** `struct landlock_net_port_attr`: u64 rights, u64 port in host byte order. */
export function encodeNetPortAttr(allowedAccess: bigint, port: number): Uint8Array {
  return new Uint8Array(new BigUint64Array([allowedAccess, BigInt(port)]).buffer);
}
