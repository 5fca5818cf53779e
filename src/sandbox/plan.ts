/**
 * Turns a Config and rules into what one kernel will be asked. It makes no system call, so a plan
 * for any kernel can be made and printed on any machine.
 *
 * Runs once at start-up, where a first call of a function costs about 30 µs: loops instead of
 * callbacks.
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
import {
  notCovered,
  rightsOfKernel,
  unavailable,
  usableAbi,
  type Kernel,
} from "../kernel/probe.ts";
import type { OnMissing, Rule } from "../validate/rule-data.ts";
import { plainData } from "../validate/values.ts";
import { rewritableBy } from "./rewritable.ts";
import { CompositeRule, toRule, type FsRule, type NetRule } from "./rules.ts";

/** An audit flag of `landlock_restrict_self(2)` (ABI 7). */
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

/** A path rule as the kernel will get it. */
export interface PathRule {
  readonly path: string;
  readonly access: readonly FsRight[];
  readonly onFile: "narrow" | "fail";
  readonly onMissing: OnMissing;
  readonly quiet: boolean;
  /** The identity of the file that a preset inspected. Another file there is an error. */
  readonly identity?: string;
}

/** A port rule as the kernel will get it. */
export interface PortRule {
  readonly port: number;
  readonly access: readonly NetRight[];
  readonly quiet: boolean;
}

/** The kernel's ABI, the requested one, and the one in use. */
export interface AbiUse {
  readonly kernel: number;
  readonly requested: number;
  readonly used: number;
}

/** Requested restrictions that this kernel can't enforce. */
export interface Unenforced extends Rights {
  /** Audit settings that this kernel lacks. They don't weaken the sandbox. */
  readonly logging: readonly (LogFlag | "quiet")[];
}

/** A right of a rule that this kernel can't grant, so it stays denied. */
export interface Ungranted {
  readonly right: FsRight;
  readonly path: string;
}

/** What one kernel will be asked. Frozen plain data. */
export interface Plan {
  readonly enforcement: "full" | "partial" | "none";
  readonly abi: AbiUse;
  /** Rights that are denied unless a rule grants them. */
  readonly handled: Rights;
  readonly unenforced: Unenforced;
  readonly ungranted: readonly Ungranted[];
  readonly rules: readonly (PathRule | PortRule)[];
  /** Rights whose denials quiet rules keep out of the audit log (ABI 10). */
  readonly quiet: Rights;
  /** Flags of `landlock_restrict_self(2)` for the whole process. */
  readonly flags: readonly RestrictFlag[];
  /**
   * Files that decide what `presets.executable()` or `presets.modules()` grants, but that these
   * rules allow changing or making. One run can then choose what the next one may read.
   */
  readonly rewritable: readonly string[];
  /** What this kernel's Landlock can't restrict at all. */
  readonly notCovered: readonly string[];
}

/**
 * Makes the plan for a kernel, from a valid Config and a valid kernel.
 *
 * @param places Returns the places that decide where a path leads, as far as the caller knows
 * @throws {LandlockError} The same errors as `planFor()`
 */
export function makePlan(
  config: ConfigData,
  rules: readonly Rule[],
  kernel: Kernel,
  places: (path: string) => string[],
): Plan {
  const flat = flatten(rules, "plan()");
  requireFit(config, flat);
  const abi = usableAbi(kernel);
  const { has, lacks, lost } = split(config, rightsOfKernel(kernel));
  let wantsQuiet = false;
  let isChosen = false;
  for (const rule of flat) {
    if (rule.onDenial === "quiet") wantsQuiet = true;
    if (rule.kind === "fs" && rule.chosenBy) isChosen = true;
  }
  const logging: (LogFlag | "quiet")[] = abi < abiOf.logging ? [...config.logging] : [];
  if (wantsQuiet && abi < abiOf.quiet) logging.push("quiet");
  requireKernel(config, [...lacks.fs, ...lost, ...lacks.net, ...lacks.scoped, ...logging], kernel);
  const planned = plannedRules(flat, has, abi >= abiOf.quiet);
  const nothing = isEmpty(has);
  const complete = isEmpty(lacks) ? "full" : "partial";
  return plainData({
    enforcement: nothing ? "none" : complete,
    abi: { kernel: kernel.abi, requested: config.abi, used: Math.min(config.abi, abi) },
    handled: has,
    unenforced: { ...lacks, logging },
    ungranted: lost.length === 0 ? [] : flat.flatMap((rule) => ungrantedBy(rule, lost)),
    rules: planned,
    quiet: wantsQuiet ? quietRights(planned, has) : { fs: [], net: [], scoped: [] },
    flags: nothing ? [] : flagsFor(config, abi),
    rewritable: isChosen ? rewritableBy(flat, has.fs, places) : [],
    notCovered: notCovered(abi, has),
  });
}

/** The rules in order, without nesting. */
export function flatten(
  rules: readonly Rule[],
  call: string,
  flat: (FsRule | NetRule)[] = [],
): (FsRule | NetRule)[] {
  for (const rule of rules) {
    const one = toRule(rule, call);
    if (one instanceof CompositeRule) flatten(one.rules, call, flat);
    else flat.push(one);
  }
  return flat;
}

/**
 * Divides a Config by kernel support. `has` can be handled. `lacks` can't, so it stays allowed.
 * `lost` can't be granted, because the kernel always denies it.
 */
function split(config: ConfigData, kernel: Rights) {
  const fs = divide(config.fs, kernel.fs);
  const net = divide(config.net, kernel.net);
  const scoped = divide(config.scoped, kernel.scoped);
  const has: Rights = { fs: fs.has, net: net.has, scoped: scoped.has };
  const lacks: Rights = { fs: fs.lacks, net: net.lacks, scoped: scoped.lacks };
  // Any ruleset denies moving files between directories, so a missing refer doesn't weaken the
  // sandbox.
  if (!lacks.fs.includes("refer") || isEmpty(has)) return { has, lacks, lost: [] };
  const others = lacks.fs.filter((right) => right !== "refer");
  return { has, lacks: { ...lacks, fs: others }, lost: ["refer"] as const };
}

function divide<Name>(names: readonly Name[], known: readonly Name[]) {
  const has: Name[] = [];
  const lacks: Name[] = [];
  for (const name of names) (known.includes(name) ? has : lacks).push(name);
  return { has, lacks };
}

function plannedRules(
  rules: readonly (FsRule | NetRule)[],
  handled: Rights,
  canBeQuiet: boolean,
): (PathRule | PortRule)[] {
  const planned: (PathRule | PortRule)[] = [];
  // The rules of one preset share one list of rights.
  const narrowed = new Map<readonly FsRight[], readonly FsRight[]>();
  for (const rule of rules) {
    const quiet = canBeQuiet && rule.onDenial === "quiet";
    if (rule.kind === "net") {
      const access = Object.freeze(divide(rule.access, handled.net).has);
      if (access.length === 0 && !quiet) continue;
      for (const port of rule.ports) planned.push(Object.freeze({ port, access, quiet }));
      continue;
    }
    let access = narrowed.get(rule.access);
    if (!access) {
      access = Object.freeze(divide(rule.access, handled.fs).has);
      narrowed.set(rule.access, access);
    }
    // Rights that this kernel doesn't restrict need no grant.
    if (handled.fs.length === 0 || (access.length === 0 && !quiet)) continue;
    const { onFile, onMissing, paths } = rule;
    for (let i = 0; i < paths.length; i++) {
      const one = { path: paths[i]!, access, onFile, onMissing, quiet };
      const identity = rule.identities?.[i];
      planned.push(Object.freeze(identity ? { ...one, identity } : one));
    }
  }
  return planned;
}

function ungrantedBy(rule: FsRule | NetRule, lost: readonly FsRight[]): Ungranted[] {
  if (rule.kind === "net") return [];
  return lost
    .filter((right) => rule.access.includes(right))
    .flatMap((right) => rule.paths.map((path) => ({ right, path })));
}

function quietRights(rules: readonly (PathRule | PortRule)[], handled: Rights): Rights {
  const quiet = rules.filter((rule) => rule.quiet);
  return {
    fs: quiet.some((rule) => "path" in rule) ? handled.fs : [],
    net: quiet.some((rule) => "port" in rule) ? handled.net : [],
    scoped: [],
  };
}

function flagsFor(config: ConfigData, abi: number): RestrictFlag[] {
  const flags: RestrictFlag[] = abi >= abiOf.logging ? [...config.logging] : [];
  if (abi >= abiOf.tsync) flags.push("tsync");
  if (abi >= abiOf.noNewPrivs) flags.push("no_new_privs");
  return flags;
}

/** Whether it contains no right. */
function isEmpty(rights: Rights): boolean {
  return rights.fs.length + rights.net.length + rights.scoped.length === 0;
}

function invalid(problem: string, hint?: Hint): LandlockError {
  return new LandlockError("ERR_LANDLOCK_INVALID_RULE", problem, hint ? { hint } : {});
}

/**
 * Requires that rules only grant what the Config restricts. Anything else is a mistake in the
 * program.
 */
function requireFit(config: ConfigData, rules: readonly (FsRule | NetRule)[]): void {
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
function requireKernel(config: ConfigData, lacking: readonly Feature[], kernel: Kernel): void {
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
