/**
 * What has to hold before there is a plan: the rules fit their Config, and the kernel has what
 * is asked of it.
 */
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
  /** The ABI asked for. */
  readonly abi: number;
  readonly logging: readonly LogFlag[];
  readonly mode: "strict" | "best-effort";
  /** Best effort: the ABI below which it is an error, 0: none. */
  readonly atLeast: number;
  /** Best effort: whether a command may run even where nothing can be restricted; default false. */
  readonly allowNone?: boolean | undefined;
}

/** Something a kernel may lack: a right, or a setting of the audit log. */
type Feature = FsRight | NetRight | Scope | LogFlag | "quiet";

/** Whether there is no right in it. */
export function isEmpty(rights: Rights): boolean {
  return rights.fs.length + rights.net.length + rights.scoped.length === 0;
}

function invalid(problem: string, hint?: Hint): LandlockError {
  return new LandlockError("ERR_LANDLOCK_INVALID_RULE", problem, hint ? { hint } : {});
}

/** Every rule grants only what the Config restricts; anything else is a mistake of the writer. */
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
 * A strict Config needs everything it asks for; best effort needs its `atLeast`.
 *
 * @param lacking What of it this kernel does not have
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
        `Landlock ABI ${config.atLeast} is required and this kernel refuses ${unmet.join(", ")}, though it answers ABI ${abi}`,
        "atLeast",
      );
    }
    if (abi >= config.atLeast) return;
    throw tooOld(
      `Landlock ABI ${config.atLeast} (Linux ${linuxOf(config.atLeast)}) is required and this kernel has ${abi}`,
      "atLeast",
    );
  }
  if (lacking.length === 0) return;
  const needed = Math.max(...lacking.map(abiOfFeature));
  const newest = lacking.find((feature) => abiOfFeature(feature) === needed)!;
  if (abi >= needed && refused.length > 0) {
    throw tooOld(
      `Cannot restrict ${refused.join(", ")}: this kernel refuses that, though it answers Landlock ABI ${abi}`,
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
    `Cannot restrict ${lacking.join(", ")}: ${newest} needs Landlock ABI ${needed} (Linux ${linuxOf(needed)}) and this kernel has ${abi}`,
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
