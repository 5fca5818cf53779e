import { LandlockError } from "../errors/errors.ts";
import {
  abiOf,
  newestAbi,
  rightsOf,
  type FsRight,
  type NetRight,
  type Rights,
  type Scope,
} from "./abi.ts";
import { close, landlockAbi, landlockCreateRuleset, landlockErrata } from "./syscalls.ts";
import { encodeRulesetAttr } from "./uapi.ts";

/** Whether Landlock can be used here, and if not, why. */
export type KernelState = "enabled" | "disabled" | "unsupported" | "blocked" | "not-linux";

/** What decides a plan: nothing else about the machine does. */
export interface Kernel {
  /** Landlock ABI; 0 where Landlock cannot be used. */
  readonly abi: number;
  /** Mask of fixed errata: bit N - 1 is erratum N. */
  readonly errata: number;
  readonly state: KernelState;
  /** Rights of that ABI which the kernel refuses all the same; default none. */
  readonly missing?: readonly (FsRight | NetRight | Scope)[] | undefined;
}

/** What `probe()` returns. */
export interface Probe extends Kernel {
  readonly missing: readonly (FsRight | NetRight | Scope)[];
  /** What to do where Landlock cannot be used; empty where it can. */
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

/** All states. */
export const kernelStates = Object.keys(remedies) as KernelState[];

const codes = {
  disabled: "ERR_LANDLOCK_DISABLED",
  unsupported: "ERR_LANDLOCK_UNSUPPORTED",
  blocked: "ERR_LANDLOCK_BLOCKED",
  "not-linux": "ERR_LANDLOCK_NOT_LINUX",
} as const;

const E2BIG = -7;
const EINVAL = -22;
const ENOSYS = -38;
const EOPNOTSUPP = -95;

/**
 * Asks the kernel what its Landlock can do. Changes nothing, opens no file.
 *
 * @returns The ABI (0: Landlock cannot be used), the fixed errata, rights of the ABI that this kernel
 *   lacks, the state and its remedy
 * @throws {LandlockError} `ERR_LANDLOCK_NATIVE` where libc cannot be loaded
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#landlock-abi-versions}
 */
export function probe(): Probe {
  const abi = process.platform === "linux" ? landlockAbi() : 0;
  const state = process.platform === "linux" ? stateOf(abi) : "not-linux";
  // Kernels before the errata query answer EINVAL: nothing is known to be fixed.
  const errata = state === "enabled" ? Math.max(landlockErrata(), 0) : 0;
  const missing = Object.freeze(state === "enabled" ? missingRights(abi) : []);
  return Object.freeze({ abi: Math.max(abi, 0), errata, state, missing, remedy: remedies[state] });
}

const noRights: Rights = { fs: [], net: [], scoped: [] };

/**
 * Kernels of distributions take over parts of an ABI: RHEL 9 answers 6 and has no `signal` scope.
 * One call finds out that all rights are there; only if it fails is each of them tried.
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

/** Any other failure is for the real call to report. */
function accepts(rights: Rights, abi: number): boolean {
  const fd = landlockCreateRuleset(encodeRulesetAttr(rights, noRights, abi));
  if (fd >= 0) close(fd);
  // E2BIG: the kernel's struct ends before the field of this right.
  return fd !== EINVAL && fd !== E2BIG;
}

function stateOf(abi: number): KernelState {
  if (abi > 0) return "enabled";
  if (abi === ENOSYS) return "unsupported";
  return abi === EOPNOTSUPP ? "disabled" : "blocked";
}

/** The error for a kernel whose Landlock cannot be used at all. */
export function unavailable(state: Exclude<KernelState, "enabled">): LandlockError {
  return new LandlockError(codes[state], `Cannot restrict anything: ${remedies[state]}`);
}

/** The ABI to work with: what a newer kernel can do beyond the table is left alone. */
export function usableAbi(kernel: Kernel): number {
  return kernel.state === "enabled" ? Math.min(kernel.abi, newestAbi) : 0;
}

/**
 * The error for a command or program that would run without any restriction.
 *
 * @param what What was not done, as `"Cannot start \"ls\" in a sandbox"`
 */
export function unrestricted(what: string): LandlockError {
  const { state, remedy } = probe();
  const [code, why] =
    state === "enabled"
      ? (["ERR_LANDLOCK_ABI_TOO_OLD", "this kernel can restrict nothing of what is asked"] as const)
      : ([codes[state], remedy] as const);
  return new LandlockError(code, `${what}: ${why}`, { hint: { id: "none" } });
}

/** Erratum 2: below ABI 8 each thread is a domain of its own, and could not signal the others. */
const signalErratum = 1 << 1;

/** The rights that this kernel can restrict: those of its ABI, without what it lacks or must not. */
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
