/**
 * From a Config and rules to what one kernel will be asked. Pure: it opens nothing, asks nothing
 * and changes nothing, so a plan for any kernel can be made and printed on any machine.
 *
 * Every script comes by here once, at its start, where each function costs about 30 µs at its
 * first call: so there are loops where callbacks would be as good.
 */
import { isEmpty, requireFit, requireKernel, type ConfigData, type LogFlag } from "./fit.ts";
import {
  abiOf,
  type FsRight,
  type NetRight,
  type RestrictFlag,
  type Rights,
} from "../kernel/abi.ts";
import { notCovered } from "../kernel/coverage.ts";
import { rightsOfKernel, usableAbi, type Kernel } from "../kernel/probe.ts";
import { plainData } from "./frozen.ts";
import { rewritableBy } from "./rewritable.ts";
import { flatten, type FsRule, type NetRule, type OnMissing, type Rule } from "./rule.ts";

/** A path rule as the kernel will get it. */
export interface PathRule {
  readonly path: string;
  readonly access: readonly FsRight[];
  readonly onFile: "narrow" | "fail";
  readonly onMissing: OnMissing;
  readonly quiet: boolean;
  /** The file that a preset looked at: another one there is an error. */
  readonly identity?: string;
}

/** A port rule as the kernel will get it. */
export interface PortRule {
  readonly port: number;
  readonly access: readonly NetRight[];
  readonly quiet: boolean;
}

/** The ABI the kernel has, the one asked for, and the one in use. */
export interface AbiUse {
  readonly kernel: number;
  readonly requested: number;
  readonly used: number;
}

/** What is weaker than asked: this kernel cannot restrict it. */
export interface Unenforced extends Rights {
  /** Audit settings this kernel does not have; they do not weaken the sandbox. */
  readonly logging: readonly (LogFlag | "quiet")[];
}

/** What is stricter than asked: a right this kernel cannot grant. */
export interface Ungranted {
  readonly right: FsRight;
  readonly path: string;
}

/** What one kernel will be asked. Frozen plain data. */
export interface Plan {
  readonly enforcement: "full" | "partial" | "none";
  readonly abi: AbiUse;
  /** What is denied unless a rule grants it. */
  readonly handled: Rights;
  readonly unenforced: Unenforced;
  readonly ungranted: readonly Ungranted[];
  readonly rules: readonly (PathRule | PortRule)[];
  /** Denials that quiet rules keep out of the audit log, ABI 10. */
  readonly quiet: Rights;
  /** Flags of `landlock_restrict_self(2)` for the whole process. */
  readonly flags: readonly RestrictFlag[];
  /**
   * Files that chose what `presets.executable()` or `presets.modules()` grants, and that these rules
   * let be changed: one run can choose what the next one may read.
   */
  readonly rewritable: readonly string[];
  /** What this kernel's Landlock does not see at all. */
  readonly notCovered: readonly string[];
}

/**
 * Makes the plan for a kernel, from a Config and a kernel that are what they should be.
 *
 * @param places What decides where a path leads, as far as the caller can tell
 * @throws {LandlockError} As `planFor()`
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
  return plainData(
    freezeParts({
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
    }),
  );
}

/**
 * What of the Config this kernel can handle; what it lacks, so that it stays allowed; and what
 * is lost, because it is denied there whether handled or not.
 */
function split(config: ConfigData, kernel: Rights) {
  const fs = divide(config.fs, kernel.fs);
  const net = divide(config.net, kernel.net);
  const scoped = divide(config.scoped, kernel.scoped);
  const has: Rights = { fs: fs.has, net: net.has, scoped: scoped.has };
  const lacks: Rights = { fs: fs.lacks, net: net.lacks, scoped: scoped.lacks };
  // Any ruleset denies reparenting, on every kernel: lacking refer makes nothing weaker then.
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
  // Rules of one preset share one list of rights.
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
    // What this kernel does not restrict needs no grant.
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

/** Freezes all that is in it, however deep. */
function freezeParts<Value extends object>(value: Value): Value {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null && !Object.isFrozen(part)) {
      Object.freeze(freezeParts(part));
    }
  }
  return value;
}
