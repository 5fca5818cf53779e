/** Checks before a plan is made that the rules fit the Config, and that the kernel supports it. */
import { LandlockError } from "../errors/errors.ts";
import type { Hint } from "../errors/hints.ts";
import {
  abiOf,
  abiOfRight,
  linuxOf,
  type FsRight,
  type NetRight,
  type RestrictFlag,
  type Rights,
  type Scope,
} from "../kernel/abi.ts";
import { unavailable, usableAbi, type Kernel } from "../kernel/probe.ts";
import type { FsRule, NetRule } from "./rule.ts";

/** An audit flag of `landlock_restrict_self(2)`, ABI 7. */
export type LogFlag = Exclude<RestrictFlag, "tsync" | "no_new_privs">;

/** What to restrict, and how strictly. A `Config` is one. */
export interface ConfigData extends Rights {
  /** The requested ABI. */
  readonly abi: number;
  readonly logging: readonly LogFlag[];
  readonly mode: "strict" | "best-effort";
  /** For best effort: the lowest accepted ABI, or 0 if there is none. */
  readonly atLeast: number;
  /** For best effort: whether commands may run if nothing can be restricted; default false. */
  readonly allowNone?: boolean | undefined;
}

/** Something that a kernel may lack: a right, or a setting of the audit log. */
type Feature = FsRight | NetRight | Scope | LogFlag | "quiet";

/** Whether it contains no right. */
export function isEmpty(rights: Rights): boolean {
  return rights.fs.length + rights.net.length + rights.scoped.length === 0;
}

function invalid(problem: string, hint?: Hint): LandlockError {
  return new LandlockError("ERR_LANDLOCK_INVALID_RULE", problem, hint ? { hint } : {});
}

/**
 * Requires that rules only grant what the Config restricts. Anything else is a mistake in the
 * program.
 */
export function requireFit(config: ConfigData, rules: readonly (FsRule | NetRule)[]): void {
  if (isEmpty(config)) {
    throw invalid("There is nothing to restrict", { id: "nothing" });
  }
  for (const rule of rules) {
    const handled: readonly string[] = rule.kind === "fs" ? config.fs : config.net;
    const explicit: readonly string[] = rule.kind === "fs" ? rule.explicit : rule.access;
    let stray: string | undefined;
    for (const right of explicit) if (!handled.includes(right)) stray ??= right;
    if (stray !== undefined || handled.length === 0) {
      const right = stray ?? rule.access[0];
      throw invalid(`Cannot grant ${right ?? "anything"} on ${placesOf(rule)}`, {
        id: "unhandled",
        what: stray ?? (rule.kind === "fs" ? "paths" : "ports"),
        abi: right === undefined ? 1 : abiOfRight(right as FsRight | NetRight),
      });
    }
    if (rule.access.length === 0 && rule.onDenial === "log") {
      throw invalid(
        `A rule on ${placesOf(rule)} grants nothing: name a right, or add .quiet() to silence the audit log`,
      );
    }
  }
}

function placesOf(rule: FsRule | NetRule): string {
  if (rule.kind === "net") return `port ${rule.ports.join(", ")}`;
  return rule.paths.map((path) => JSON.stringify(path)).join(", ");
}

/**
 * Requires all that a strict Config asks for, or the `atLeast` of best effort.
 *
 * @param lacking What this kernel lacks of the Config
 */
export function requireKernel(
  config: ConfigData,
  lacking: readonly Feature[],
  kernel: Kernel,
): void {
  const abi = usableAbi(kernel);
  const refused = lacking.filter((feature) => kernel.missing?.some((right) => right === feature));
  if (kernel.state !== "enabled" && (config.mode === "strict" || config.atLeast > 0)) {
    throw unavailable(kernel.state);
  }
  if (config.mode === "best-effort") {
    const unmet = refused.filter((feature) => abiOfFeature(feature) <= config.atLeast);
    if (unmet.length > 0) {
      throw tooOld(
        `Landlock ABI ${config.atLeast} is required, but this kernel refuses ${unmet.join(", ")}, although it reports ABI ${abi}`,
        "atLeast",
      );
    }
    if (abi >= config.atLeast) return;
    throw tooOld(
      `Landlock ABI ${config.atLeast} (Linux ${linuxOf(config.atLeast)}) is required, but this kernel has ${abi}`,
      "atLeast",
    );
  }
  if (lacking.length === 0) return;
  const needed = Math.max(...lacking.map(abiOfFeature));
  const newest = lacking.find((feature) => abiOfFeature(feature) === needed)!;
  if (abi >= needed && refused.length > 0) {
    throw tooOld(
      `Cannot restrict ${refused.join(", ")}: this kernel refuses that, although it reports Landlock ABI ${abi}`,
      "erratum",
    );
  }
  if (abi >= needed) {
    throw tooOld(
      `Cannot scope ${newest}: this kernel lacks the fix of Landlock erratum 2, without which the process's own threads could not signal each other`,
      "erratum",
    );
  }
  throw tooOld(
    `Cannot restrict ${lacking.join(", ")}: ${newest} needs Landlock ABI ${needed} (Linux ${linuxOf(needed)}), but this kernel has ${abi}`,
    "tooNew",
    abi,
  );
}

function tooOld(problem: string, id: "atLeast" | "erratum" | "tooNew", abi = 0): LandlockError {
  return new LandlockError("ERR_LANDLOCK_ABI_TOO_OLD", problem, { hint: { id, abi } });
}

function abiOfFeature(feature: Feature): number {
  if (feature === "quiet") return abiOf.quiet;
  return feature.startsWith("log_") ? abiOf.logging : abiOfRight(feature as FsRight);
}
