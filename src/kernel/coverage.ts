/** What Landlock can't restrict: the only table, used by plans, reports and `status`. */
import { abiOf, newestAbi, type FsRight, type NetRight, type Rights, type Scope } from "./abi.ts";

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
