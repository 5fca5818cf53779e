/**
 * The only driver. From top to bottom it probes, plans, builds, restricts every thread, and
 * reports.
 */
import { ptr } from "bun:ffi";
import { EAFNOSUPPORT, EBADFD, EMFILE, ENFILE, ENOENT, ENOTDIR } from "../errors/errno.ts";
import {
  accessFs,
  accessNet,
  encodeNetPortAttr,
  encodeRulesetAttr,
  fileRights,
  maskOf,
  pathBeneathAttr,
  restrictFlags,
  setPathBeneath,
  type FsRight,
} from "../kernel/abi.ts";
import { closeMade, findMissing, makeDirectories, type Made } from "../kernel/directories.ts";
import {
  ALLTHREADS_DIVERGED,
  ALLTHREADS_UNREACHABLE,
  restrictAllThreads,
} from "../kernel/native.ts";
import { probe } from "../kernel/probe.ts";
import {
  close,
  getNoNewPrivs,
  landlockAddRule,
  landlockCreateRuleset,
  landlockRestrictSelf,
  linkCount,
  openPath,
  setNoNewPrivs,
  statusOf,
} from "../kernel/syscalls.ts";
import {
  LANDLOCK_ADD_RULE_QUIET,
  LANDLOCK_RULE_NET_PORT,
  LANDLOCK_RULE_PATH_BENEATH,
  O_DIRECTORY,
} from "../kernel/uapi.ts";
import { placesOf } from "../kernel/walk.ts";
import { plainData } from "../validate/values.ts";
import type { Rule } from "../validate/rule-data.ts";
import {
  buildFailure,
  directoryRightOnFile,
  diverged,
  enforceFailure,
  isMissing,
  kindOf,
  replaced,
  unreachable,
  unusablePaths,
  type Unusable,
} from "./failures.ts";
import { noteEnforced, recordLayer, type LayerRecord } from "./layers.ts";
import { LinkGuard, swapping } from "./links.ts";
import { makePlan, type ConfigData, type PathRule, type Plan, type PortRule } from "./plan.ts";
import type { Report, ThreadReport } from "./report.ts";

/** How long other threads may take to answer a broadcast, in milliseconds. */
export const defaultDeadlineMs = 1000;

/** Restricts the whole process irrevocably, and reports what was done. */
export function restrict(config: ConfigData, rules: readonly Rule[]): Report {
  const built = build(planHere(config, rules));
  try {
    return enforce(built, defaultDeadlineMs);
  } finally {
    if (built.fd >= 0) close(built.fd);
  }
}

/** Probes this kernel and makes the plan for it. Opens no path of a rule. */
export function planHere(config: ConfigData, rules: readonly Rule[]): Plan {
  return makePlan(config, rules, probe(), placesOf);
}

/** A ruleset in the kernel that isn't enforced yet. */
export interface Built {
  readonly plan: Plan;
  /** Its descriptor, which the owner must close; -1 if the plan has nothing to enforce. */
  readonly fd: number;
  /** What the kernel was given, with narrowed paths and without skipped ones. */
  readonly layer: LayerRecord;
  readonly skippedPaths: readonly string[];
  readonly createdPaths: readonly string[];
}

/**
 * Creates a ruleset in the kernel and adds its rules, without enforcing it.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` naming every unusable path;
 *   `ERR_LANDLOCK_INVALID_RULE` if a directory right is granted on something else;
 *   `ERR_LANDLOCK_SYSCALL` if the kernel refuses
 */
export function build(plan: Plan): Built {
  const { handled, quiet, abi } = plan;
  if (plan.enforcement === "none") {
    const layer = recordLayer(handled, []);
    return { plan, fd: -1, layer, skippedPaths: [], createdPaths: [] };
  }
  const fd = landlockCreateRuleset(encodeRulesetAttr(handled, quiet, abi.kernel));
  if (fd < 0) throw buildFailure("landlock_create_ruleset", -fd);
  try {
    const { rules, skippedPaths, createdPaths } = addRules(fd, plan.rules);
    return { plan, fd, layer: recordLayer(handled, rules), skippedPaths, createdPaths };
  } catch (error) {
    close(fd);
    throw error;
  }
}

function addRules(rulesetFd: number, planned: Plan["rules"]) {
  const rules: (PathRule | PortRule)[] = [];
  const skippedPaths: string[] = [];
  const unusable: Unusable[] = [];
  const missing: PathRule[] = [];
  // Another rule may name the same directory. The order of rules must not make it fail or be
  // skipped.
  const creates = new Set<string>();
  // The paths in which the rules allow making links.
  const open = new Set<string>();
  for (const rule of planned) {
    if ("port" in rule) continue;
    if (rule.onMissing === "create") creates.add(rule.path);
    if (rule.access.some((right) => swapping.includes(right))) open.add(rule.path);
  }
  const guard = open.size > 0 ? new LinkGuard(open) : undefined;
  const addPath = pathAdder(rulesetFd, guard);
  for (const rule of planned) {
    if ("port" in rule) {
      addPort(rulesetFd, rule);
      rules.push(rule);
      continue;
    }
    const added = addPath(rule);
    if ("access" in added) {
      rules.push(added);
    } else if (creates.has(rule.path) && added.errno === ENOENT) {
      missing.push(rule);
    } else if (rule.onMissing === "skip" && isMissing(added.errno)) {
      skippedPaths.push(rule.path);
    } else {
      unusable.push(added);
    }
  }
  if (unusable.length > 0) throw unusablePaths(unusable);
  // Only after all other paths proved usable, so that an error leaves no directory behind.
  if (missing.length > 0) rules.push(...createMissing(missing, addPath, guard));
  return { rules, skippedPaths, createdPaths: [...new Set(missing.map(({ path }) => path))] };
}

/** Makes the directories of the rules, either all or none, and adds the rules. */
function createMissing(
  missing: readonly PathRule[],
  addPath: AddPath,
  guard: LinkGuard | undefined,
): PathRule[] {
  const made: Made[] = [];
  const rules: PathRule[] = [];
  const unusable: Unusable[] = [];
  let isDone = false;
  try {
    for (const rule of missing) {
      const way = findMissing(rule.path);
      let { fd } = way;
      if (fd !== undefined && fd >= 0) {
        made.push({ fd, folder: fd, name: "", isNew: false });
        guard?.refuseMakingOutside(rule, way, fd);
        fd = makeDirectories(fd, way.rest, made);
      }
      const failed = fd !== undefined && fd < 0;
      const added = failed ? { rule, syscall: "mkdir", errno: -fd! } : addPath(rule, fd);
      if ("access" in added) rules.push(added);
      else unusable.push(added);
    }
    if (unusable.length > 0) throw unusablePaths(unusable);
    isDone = true;
  } finally {
    closeMade(made, !isDone);
  }
  return rules;
}

/** @param made A directory that was made for the rule, which the caller closes */
type AddPath = (rule: PathRule, made?: number) => PathRule | Unusable;

/** Adds path rules. Reuses one buffer, and one mask for all paths of a rule. */
function pathAdder(rulesetFd: number, guard: LinkGuard | undefined): AddPath {
  const attr = pathBeneathAttr();
  const address = Number(ptr(attr));
  const masks = new Map<readonly FsRight[], { all: number; files: readonly FsRight[] }>();
  const open = (rule: PathRule, flags: number) =>
    guard ? guard.open(rule, flags) : openPath(rule.path, flags);
  return (rule, made) => {
    let mask = masks.get(rule.access);
    if (!mask) {
      const files = rule.access.filter((right) => fileRights.includes(right));
      masks.set(rule.access, (mask = { all: maskOf(rule.access, accessFs), files }));
    }
    const forFilesToo = mask.files.length === rule.access.length;
    let fd = made ?? open(rule, forFilesToo ? 0 : O_DIRECTORY);
    let added = rule;
    let allowed = mask.all;
    if (fd === -ENOTDIR && !forFilesToo) {
      fd = open(rule, 0);
      if (fd >= 0 && rule.onFile === "fail") {
        close(fd);
        throw directoryRightOnFile(rule);
      }
      // If it has become a directory since, it gets fewer rights, never more.
      added = { ...rule, access: mask.files };
      allowed = maskOf(mask.files, accessFs);
    }
    if (fd < 0) {
      if (fd === -EMFILE || fd === -ENFILE) throw buildFailure("openat", -fd);
      return { rule, syscall: "openat", errno: -fd };
    }
    try {
      if (rule.identity !== undefined) requireIdentity(rule, fd);
      setPathBeneath(attr, allowed, fd);
      const flags = rule.quiet ? LANDLOCK_ADD_RULE_QUIET : 0;
      const result = landlockAddRule(rulesetFd, LANDLOCK_RULE_PATH_BENEATH, address, flags);
      if (result >= 0) return added;
      // Pipes, sockets and similar files aren't part of the file hierarchy.
      const kind = result === -EBADFD ? kindOf(fd) : "";
      if (kind) return { rule, syscall: "landlock_add_rule", errno: -result, kind };
      throw buildFailure("landlock_add_rule", -result, rule.path);
    } finally {
      if (fd !== made) close(fd);
    }
  };
}

/** Requires the file that a preset inspected. Another one must not get its rights. */
function requireIdentity(rule: PathRule, fd: number): void {
  const status = statusOf(fd);
  if (typeof status === "number" || status.id !== rule.identity) throw replaced(rule);
}

function addPort(rulesetFd: number, rule: PortRule): void {
  const attr = encodeNetPortAttr(maskOf(rule.access, accessNet), rule.port);
  const flags = rule.quiet ? LANDLOCK_ADD_RULE_QUIET : 0;
  const address = Number(ptr(attr));
  const result = landlockAddRule(rulesetFd, LANDLOCK_RULE_NET_PORT, address, flags);
  // A kernel without TCP/IP has nothing to grant.
  if (result < 0 && result !== -EAFNOSUPPORT) throw buildFailure("landlock_add_rule", -result);
}

/**
 * Enforces a built ruleset on every thread of the process, or on none.
 *
 * @param deadlineMs How long other threads may take to answer a broadcast, in milliseconds
 * @throws {LandlockError} The same errors as `ruleset.restrictSelf()`
 */
export function enforce(built: Built, deadlineMs: number): Report {
  const { plan, fd, layer } = built;
  if (fd < 0) {
    warnUnrestricted();
    return reportOf(built, { count: 0, method: "none" });
  }
  const threads = plan.flags.includes("tsync")
    ? restrictAtOnce(built)
    : broadcast(built, deadlineMs);
  noteEnforced(layer);
  return reportOf(built, threads);
}

/** Enforces a built ruleset on the calling thread only, which is about to execute a program. */
export function enforceThread({ plan, fd }: Built): void {
  restrictThread(
    fd,
    plan.flags.filter((flag) => flag !== "tsync"),
  );
}

/** From ABI 8 on, the kernel restricts the other threads too. */
function restrictAtOnce({ plan, fd }: Built): ThreadReport {
  restrictThread(fd, plan.flags);
  // The directory's link count is the number of threads plus its own two links.
  return { count: Math.max(linkCount("/proc/self/task") - 2, 1), method: "tsync" };
}

function restrictThread(fd: number, flags: Plan["flags"]): void {
  const needsNoNewPrivs = !flags.includes("no_new_privs") && getNoNewPrivs() !== 1;
  if (needsNoNewPrivs) {
    const result = setNoNewPrivs();
    if (result < 0) throw enforceFailure("prctl", -result, false);
  }
  const result = landlockRestrictSelf(fd, maskOf(flags, restrictFlags));
  if (result < 0) throw enforceFailure("landlock_restrict_self", -result, needsNoNewPrivs);
}

/** Below ABI 8, a signal makes each thread restrict itself. */
function broadcast({ plan, fd }: Built, deadlineMs: number): ThreadReport {
  const done = restrictAllThreads(fd, maskOf(plan.flags, restrictFlags), deadlineMs);
  if (done.result === ALLTHREADS_UNREACHABLE) throw unreachable(done, deadlineMs);
  if (done.result === ALLTHREADS_DIVERGED) throw diverged(done);
  if (done.result < 0) throw enforceFailure("landlock_restrict_self", -done.result, done.changed);
  return { count: done.threads, method: "broadcast" };
}

let warned = false;

/** Best effort may restrict nothing at all, which must not go unnoticed. */
export function warnUnrestricted(): void {
  if (warned) return;
  warned = true;
  process.emitWarning(
    "Landlock restricts nothing here: see probe().remedy, or use a strict Config to make this an error",
    { type: "LandlockWarning", code: "LANDLOCK_UNENFORCED" },
  );
}

function reportOf(built: Built, threads: ThreadReport): Report {
  const { plan, layer, skippedPaths, createdPaths } = built;
  const { enforcement, abi, handled, unenforced, ungranted, rewritable, notCovered } = plan;
  return plainData({
    enforcement,
    abi,
    handled,
    unenforced,
    ungranted,
    skippedPaths,
    createdPaths,
    rules: Object.freeze(layer.rules),
    threads,
    rewritable,
    notCovered,
  });
}
