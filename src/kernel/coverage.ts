import { abiOf, newestAbi, type Scope } from "./abi.ts";

/** What a kernel's Landlock does not see, up to the ABI before the one that brought it. */
const blindSpots: readonly { readonly below: number; readonly what: string }[] = [
  { below: Infinity, what: "files and sockets that are open already" },
  { below: Infinity, what: "chmod, chown, stat, utime, access, chdir and extended attributes" },
  { below: Infinity, what: "Multipath TCP, SCTP, raw and other sockets than TCP and UDP" },
  { below: 10, what: "UDP (needs ABI 10)" },
  { below: 9, what: "connecting to UNIX sockets by path (needs ABI 9)" },
  { below: 6, what: "signals and abstract UNIX sockets (needs ABI 6)" },
  { below: 5, what: "ioctl on devices (needs ABI 5)" },
  { below: 4, what: "TCP (needs ABI 4)" },
  { below: 3, what: "truncating files (needs ABI 3)" },
];

/** Below TSYNC each thread that ran at the enforcement is in a domain of its own. */
const betweenThreads =
  "the process as one: threads that ran when it was restricted may be denied each other's abstract UNIX sockets and children (needs ABI 8)";

/**
 * Names what a kernel's Landlock cannot restrict, whatever the rules.
 *
 * @param scoped The scopes in use
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#current-limitations}
 */
export function notCovered(abi: number, scoped: readonly Scope[]): readonly string[] {
  if (abi === 0) return ["everything: Landlock cannot be used here"];
  const known = Math.min(abi, newestAbi);
  const blind: string[] = [];
  for (const { below, what } of blindSpots) if (known < below) blind.push(what);
  if (scoped.length > 0 && abi < abiOf.tsync) blind.push(betweenThreads);
  return blind;
}
