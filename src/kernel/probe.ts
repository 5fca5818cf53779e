/** What this kernel's Landlock can do, why it can't be used, and what it can't restrict. */
import { E2BIG, EINVAL, ENOSYS, EOPNOTSUPP } from "../errors/errno.ts";
import { LandlockError } from "../errors/errors.ts";
import {
  abiOf,
  encodeRulesetAttr,
  newestAbi,
  rightsOf,
  type FsRight,
  type NetRight,
  type Rights,
  type Scope,
} from "./abi.ts";
import { close, landlockAbi, landlockCreateRuleset, landlockErrata } from "./syscalls.ts";

/** Whether Landlock can be used here, or why not. */
export type KernelState = "enabled" | "disabled" | "unsupported" | "blocked" | "not-linux";

/** Everything about the machine that a plan depends on. */
export interface Kernel {
  /** The Landlock ABI, or 0 if Landlock can't be used. */
  readonly abi: number;
  /** Mask of fixed errata: bit N - 1 is erratum N. */
  readonly errata: number;
  readonly state: KernelState;
  /** Rights of that ABI that the kernel refuses anyway; default: none. */
  readonly missing?: readonly (FsRight | NetRight | Scope)[] | undefined;
}

/** What `probe()` returns. */
export interface Probe extends Kernel {
  readonly missing: readonly (FsRight | NetRight | Scope)[];
  /** What to do if Landlock can't be used; empty otherwise. */
  readonly remedy: string;
}

const remedies: Record<KernelState, string> = {
  enabled: "",
  disabled:
    "Landlock is built into this kernel but was left out at boot: add landlock to the lsm= boot parameter or to CONFIG_LSM",
  unsupported:
    "this kernel has no Landlock: use Linux 5.13 or newer, built with CONFIG_SECURITY_LANDLOCK=y",
  blocked:
    "something forbids the Landlock system calls: allow landlock_create_ruleset, landlock_add_rule and landlock_restrict_self in the container's seccomp profile",
  "not-linux": "there is no Landlock outside Linux",
};

/** All kernel states. */
export const kernelStates = Object.keys(remedies) as KernelState[];

const codes = {
  disabled: "ERR_LANDLOCK_DISABLED",
  unsupported: "ERR_LANDLOCK_UNSUPPORTED",
  blocked: "ERR_LANDLOCK_BLOCKED",
  "not-linux": "ERR_LANDLOCK_NOT_LINUX",
} as const;

/**
 * Asks the kernel what its Landlock supports. It changes nothing and opens no file.
 *
 * @returns The ABI (0: Landlock can't be used), the fixed errata, rights of the ABI that this
 *   kernel lacks, the state and its remedy
 * @throws {LandlockError} `ERR_LANDLOCK_NATIVE` if libc can't be loaded
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#landlock-abi-versions}
 */
export function probe(): Probe {
  const abi = process.platform === "linux" ? landlockAbi() : 0;
  const state = process.platform === "linux" ? stateOf(abi) : "not-linux";
  // Kernels older than the errata query answer EINVAL. Assume that nothing is fixed there.
  const errata = state === "enabled" ? Math.max(landlockErrata(), 0) : 0;
  const missing = Object.freeze(state === "enabled" ? missingRights(abi) : []);
  return Object.freeze({ abi: Math.max(abi, 0), errata, state, missing, remedy: remedies[state] });
}

const noRights: Rights = { fs: [], net: [], scoped: [] };

/**
 * Distribution kernels backport parts of an ABI: RHEL 9 reports ABI 6 without the `signal` scope.
 * One call usually shows that all rights exist; each is tried only if that call fails.
 */
function missingRights(abi: number): (FsRight | NetRight | Scope)[] {
  const all = rightsOf(abi);
  if (accepts(all, abi)) return [];
  return [
    ...all.fs.filter((right) => !accepts({ ...noRights, fs: [right] }, abi)),
    ...all.net.filter((right) => !accepts({ ...noRights, net: [right] }, abi)),
    ...all.scoped.filter((right) => !accepts({ ...noRights, scoped: [right] }, abi)),
  ];
}

/** Only EINVAL and E2BIG mean a missing right. The real call reports any other failure. */
function accepts(rights: Rights, abi: number): boolean {
  const fd = landlockCreateRuleset(encodeRulesetAttr(rights, noRights, abi));
  if (fd >= 0) close(fd);
  // E2BIG: the kernel's struct ends before the field of this right.
  return fd !== -EINVAL && fd !== -E2BIG;
}

function stateOf(abi: number): KernelState {
  if (abi > 0) return "enabled";
  if (abi === -ENOSYS) return "unsupported";
  return abi === -EOPNOTSUPP ? "disabled" : "blocked";
}

/** The error for a kernel whose Landlock cannot be used at all. */
export function unavailable(state: Exclude<KernelState, "enabled">): LandlockError {
  return new LandlockError(codes[state], `Cannot restrict anything: ${remedies[state]}`);
}

/** The ABI to work with: at most the newest known one. */
export function usableAbi(kernel: Kernel): number {
  return kernel.state === "enabled" ? Math.min(kernel.abi, newestAbi) : 0;
}

/**
 * The error for a command or program that would run without any restriction.
 *
 * @param what What was not done, such as `"Cannot start \"ls\" in a sandbox"`
 */
export function unrestricted(what: string): LandlockError {
  const { state, remedy } = probe();
  const [code, why] =
    state === "enabled"
      ? (["ERR_LANDLOCK_ABI_TOO_OLD", "this kernel can restrict nothing of what is asked"] as const)
      : ([codes[state], remedy] as const);
  return new LandlockError(code, `${what}: ${why}`, { hint: { id: "none" } });
}

/**
 * Erratum 2: below ABI 8 each thread has its own domain, so it could not signal the other threads.
 */
const signalErratum = 1 << 1;

/** The rights that this kernel can restrict: those of its ABI without missing and unsafe ones. */
export function rightsOfKernel(kernel: Kernel): Rights {
  const abi = usableAbi(kernel);
  const { fs, net, scoped } = rightsOf(abi);
  const { missing = [] } = kernel;
  const noSignals = abi < abiOf.tsync && (kernel.errata & signalErratum) === 0;
  if (missing.length === 0 && !noSignals) return { fs, net, scoped };
  return {
    fs: fs.filter((right) => !missing.includes(right)),
    net: net.filter((right) => !missing.includes(right)),
    scoped: scoped.filter(
      (right) => !missing.includes(right) && !(noSignals && right === "signal"),
    ),
  };
}

/** Something that no rule can deny. */
interface BlindSpot {
  /** The first ABI that restricts it; default: none so far. */
  readonly below?: number;
  /** It is listed only if one of these rights is handled; default: always. */
  readonly weakens?: readonly (FsRight | NetRight | Scope)[];
  readonly what: string;
}

const blindSpots: readonly BlindSpot[] = [
  { what: "files and sockets that are open already" },
  { what: "chmod, chown, stat, readlink, utime, access, chdir and extended attributes" },
  {
    weakens: ["execute", "write_file"],
    what: "memfds: files in memory, which need no rule to be written or executed",
  },
  {
    weakens: ["read_dir"],
    what: "inotify and fanotify, which report file names in directories that may not be listed",
  },
  {
    weakens: ["write_file"],
    what: "file locks: flock and fcntl can lock files that may only be read",
  },
  {
    what: "System V shared memory, semaphores and message queues, which processes of one user share",
  },
  { what: "keys that the kernel keeps (keyctl), which processes of one user share" },
  {
    what: "limits and priorities of the same user's processes: prlimit can end one with a CPU time limit",
  },
  { what: "sockets other than TCP and UDP, such as Multipath TCP, SCTP, raw, netlink and vsock" },
  {
    what: "AF_ALG and other sockets for kernel services, which expose more kernel code to attacks",
  },
  {
    weakens: ["connect_tcp", "connect_send_udp"],
    what: "addresses: a rule for a port grants that port on any host",
  },
  {
    weakens: ["bind_tcp"],
    what: "listen without bind: the kernel picks a TCP port, whatever the rules",
  },
  {
    below: 10,
    weakens: ["connect_tcp"],
    what: "TCP Fast Open: sendto and sendmsg with MSG_FASTOPEN connect to any port, unless the kernel has the fix of Linux 7.2",
  },
  {
    below: 10,
    weakens: ["signal"],
    what: "SIGIO: F_SETOWN and F_SETSIG signal the process group outside, unless the kernel has the fix of CVE-2026-72183 (Linux 7.2)",
  },
  {
    below: 6,
    what: "keyctl: KEYCTL_SESSION_TO_PARENT frees the parent of every layer, unless the kernel has the fix of CVE-2024-42318 (Linux 6.11)",
  },
  { below: 10, what: "UDP (needs ABI 10)" },
  { below: 9, what: "connecting to UNIX sockets by path (needs ABI 9)" },
  { below: 6, what: "signals and abstract UNIX sockets (needs ABI 6)" },
  { below: 5, what: "ioctl on devices (needs ABI 5)" },
  { below: 4, what: "TCP (needs ABI 4)" },
  { below: 3, what: "truncating files (needs ABI 3)" },
];

/** Below ABI 8, each thread that existed before the restriction has a domain of its own. */
const betweenThreads =
  "threads as one unit: threads older than the restriction may lose access to each other's abstract UNIX sockets and children (needs ABI 8)";

/**
 * Lists what Landlock can't restrict on a kernel, whatever the rules.
 *
 * @param handled The rights in use; gaps in other rights are left out
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#current-limitations}
 */
export function notCovered(abi: number, handled: Rights): readonly string[] {
  if (abi === 0) return ["everything: Landlock cannot be used here"];
  const known = Math.min(abi, newestAbi);
  const rights: readonly string[] = [...handled.fs, ...handled.net, ...handled.scoped];
  const blind: string[] = [];
  for (const { below = Infinity, weakens, what } of blindSpots) {
    if (known < below && (weakens?.some((right) => rights.includes(right)) ?? true)) {
      blind.push(what);
    }
  }
  if (handled.scoped.length > 0 && abi < abiOf.tsync) blind.push(betweenThreads);
  return blind;
}
