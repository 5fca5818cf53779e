import { LandlockError } from "../errors.ts";
import { newestAbi } from "./abi.ts";
import { landlockAbi, landlockErrata } from "./syscalls.ts";

/** Whether Landlock can be used here, and if not, why. */
export type KernelState = "enabled" | "disabled" | "unsupported" | "blocked" | "not-linux";

/** What decides a plan: nothing else about the machine does. */
export interface Kernel {
  /** Landlock ABI; 0 where Landlock cannot be used. */
  readonly abi: number;
  /** Mask of fixed errata: bit N - 1 is erratum N. */
  readonly errata: number;
  readonly state: KernelState;
}

/** What `probe()` returns. */
export interface Probe extends Kernel {
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

const codes = {
  disabled: "ERR_LANDLOCK_DISABLED",
  unsupported: "ERR_LANDLOCK_UNSUPPORTED",
  blocked: "ERR_LANDLOCK_BLOCKED",
  "not-linux": "ERR_LANDLOCK_NOT_LINUX",
} as const;

const ENOSYS = -38;
const EOPNOTSUPP = -95;

/**
 * Asks the kernel what its Landlock can do. Changes nothing, opens no file.
 *
 * @returns The ABI (0: Landlock cannot be used), the fixed errata, the state and its remedy
 * @throws {LandlockError} `ERR_LANDLOCK_NATIVE` where libc cannot be loaded
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#landlock-abi-versions}
 */
export function probe(): Probe {
  const abi = process.platform === "linux" ? landlockAbi() : 0;
  const state = process.platform === "linux" ? stateOf(abi) : "not-linux";
  // Kernels before the errata query answer EINVAL: nothing is known to be fixed.
  const errata = state === "enabled" ? Math.max(landlockErrata(), 0) : 0;
  return Object.freeze({ abi: Math.max(abi, 0), errata, state, remedy: remedies[state] });
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
