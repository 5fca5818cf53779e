/** Turns a plan into a ruleset in the kernel, without enforcing it. */
import { ptr } from "bun:ffi";
import { errnoName, LandlockError, syscallError } from "../errors/errors.ts";
import type { Hint } from "../errors/hints.ts";
import { accessFs, accessNet, fileRights, type FsRight } from "../kernel/abi.ts";
import { makeDirectory, removeDirectories } from "../kernel/directories.ts";
import {
  close,
  landlockAddRule,
  landlockCreateRuleset,
  openPath,
  openPathWithoutLinks,
  statusOf,
} from "../kernel/syscalls.ts";
import {
  encodeNetPortAttr,
  encodeRulesetAttr,
  LANDLOCK_ADD_RULE_QUIET,
  LANDLOCK_RULE_NET_PORT,
  LANDLOCK_RULE_PATH_BENEATH,
  maskOf,
  O_DIRECTORY,
  pathBeneathAttr,
  setPathBeneath,
} from "../kernel/uapi.ts";
import type { PathRule, Plan, PortRule } from "./plan.ts";
import type { Built } from "./report.ts";
import { LinkGuard } from "./links.ts";

const ENOENT = -2;
const EINVAL = -22;
const EMFILE = -24;
const ENFILE = -23;
const ENOTDIR = -20;
const EBADFD = -77;
const EAFNOSUPPORT = -97;

/** A path that can't be used, and the negative errno with the reason. */
interface Unusable {
  readonly rule: PathRule;
  readonly syscall: string;
  readonly errno: number;
  /** The kind of file, if that is the reason. */
  readonly kind?: string;
}

/**
 * Creates the ruleset and adds its rules.
 *
 * @returns The descriptor, which the caller must close, and what the kernel was given
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` naming every unusable path;
 *   `ERR_LANDLOCK_INVALID_RULE` if a directory right is granted on something else;
 *   `ERR_LANDLOCK_SYSCALL` if the kernel refuses
 */
export function buildRuleset(plan: Plan): Built & { readonly fd: number } {
  const fd = landlockCreateRuleset(encodeRulesetAttr(plan.handled, plan.quiet, plan.abi.kernel));
  if (fd < 0) throw refused("landlock_create_ruleset", fd);
  try {
    return { fd, ...addRules(fd, plan) };
  } catch (error) {
    close(fd);
    throw error;
  }
}

function addRules(rulesetFd: number, plan: Plan): Built {
  const rules: (PathRule | PortRule)[] = [];
  const skippedPaths: string[] = [];
  const unusable: Unusable[] = [];
  const missing: PathRule[] = [];
  const guard = new LinkGuard(plan.rules);
  const addPath = pathAdder(rulesetFd, guard);
  // Another rule may name the same directory. The order of rules must not make it fail or be
  // skipped.
  const creates = new Set<string>();
  for (const rule of plan.rules) {
    if ("path" in rule && rule.onMissing === "create") creates.add(rule.path);
  }
  for (const rule of plan.rules) {
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
  guard: LinkGuard,
): PathRule[] {
  const made: string[] = [];
  const rules: PathRule[] = [];
  const unusable: Unusable[] = [];
  try {
    for (const rule of missing) {
      guard.refuseMakingOutside(rule);
      const errno = makeDirectory(rule.path, made);
      const added = errno < 0 ? { rule, syscall: "mkdir", errno } : addPath(rule);
      if ("access" in added) rules.push(added);
      else unusable.push(added);
    }
    if (unusable.length > 0) throw unusablePaths(unusable);
  } catch (error) {
    removeDirectories(made);
    throw error;
  }
  return rules;
}

function isMissing(errno: number): boolean {
  return errno === ENOENT || errno === ENOTDIR;
}

type AddPath = (rule: PathRule) => PathRule | Unusable;

/** Adds path rules. Reuses one buffer, and one mask for all paths of a rule. */
function pathAdder(rulesetFd: number, guard: LinkGuard): AddPath {
  const attr = pathBeneathAttr();
  const address = Number(ptr(attr));
  const masks = new Map<readonly FsRight[], { all: number; files: readonly FsRight[] }>();
  let mayHaveLinks = false;
  const open = (path: string, flags: number) => {
    const fd = guard.isNeeded ? openPathWithoutLinks(path, flags) : EINVAL;
    mayHaveLinks = fd < 0;
    return mayHaveLinks ? openPath(path, flags) : fd;
  };
  return (rule) => {
    let mask = masks.get(rule.access);
    if (!mask) {
      const files = rule.access.filter((right) => fileRights.includes(right));
      masks.set(rule.access, (mask = { all: maskOf(rule.access, accessFs), files }));
    }
    const forFilesToo = mask.files.length === rule.access.length;
    let fd = open(rule.path, forFilesToo ? 0 : O_DIRECTORY);
    let added = rule;
    let allowed = mask.all;
    if (fd === ENOTDIR && !forFilesToo) {
      fd = open(rule.path, 0);
      if (fd >= 0 && rule.onFile === "fail") {
        close(fd);
        throw directoryRightOnFile(rule);
      }
      // If it has become a directory since, it gets fewer rights, never more.
      added = { ...rule, access: mask.files };
      allowed = maskOf(mask.files, accessFs);
    }
    if (fd < 0) {
      if (fd === EMFILE || fd === ENFILE) throw refused("openat", fd);
      return { rule, syscall: "openat", errno: fd };
    }
    if (rule.identity !== undefined && !isFile(fd, rule.identity)) {
      close(fd);
      throw replaced(rule);
    }
    try {
      if (mayHaveLinks) guard.refuseOutside(rule, fd);
    } catch (error) {
      close(fd);
      throw error;
    }
    setPathBeneath(attr, allowed, fd);
    const flags = rule.quiet ? LANDLOCK_ADD_RULE_QUIET : 0;
    const result = landlockAddRule(rulesetFd, LANDLOCK_RULE_PATH_BENEATH, address, flags);
    // Pipes, sockets and similar files aren't part of the file hierarchy.
    const kind = result === EBADFD ? kindOf(fd) : "";
    close(fd);
    if (kind) return { rule, syscall: "landlock_add_rule", errno: result, kind };
    if (result < 0) throw refused("landlock_add_rule", result, rule.path);
    return added;
  };
}

function addPort(rulesetFd: number, rule: PortRule): void {
  const attr = encodeNetPortAttr(maskOf(rule.access, accessNet), rule.port);
  const flags = rule.quiet ? LANDLOCK_ADD_RULE_QUIET : 0;
  const address = Number(ptr(attr));
  const result = landlockAddRule(rulesetFd, LANDLOCK_RULE_NET_PORT, address, flags);
  // A kernel without TCP/IP has nothing to grant.
  if (result < 0 && result !== EAFNOSUPPORT) throw refused("landlock_add_rule", result);
}

function isFile(fd: number, identity: string): boolean {
  const status = statusOf(fd);
  return typeof status === "object" && status.id === identity;
}

function replaced({ path, access }: PathRule): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot grant ${access.join(", ")} beneath "${path}": the file was replaced after its preset inspected it; call the preset again`,
    { path },
  );
}

function directoryRightOnFile(rule: PathRule): LandlockError {
  const stray = rule.access.filter((right) => !fileRights.includes(right)).join(", ");
  return new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    `Cannot grant ${stray} on "${rule.path}": it applies to directories only, and this is not one`,
    { path: rule.path, hint: { id: "directoryRight" } },
  );
}

function unusablePaths(unusable: readonly Unusable[]): LandlockError {
  const [first] = unusable as [Unusable];
  const reason = ({ errno, kind }: Unusable) =>
    kind === undefined
      ? `open failed with ${errnoName(-errno)}`
      : `it is a ${kind}, which Landlock never restricts`;
  const all = unusable.map((one) => `"${one.rule.path}" (${reason(one)})`).join(", ");
  const problem =
    unusable.length > 1
      ? `Cannot use ${unusable.length} paths: ${all}`
      : `Cannot grant ${first.rule.access.join(", ")} beneath "${first.rule.path}": ${reason(first)}`;
  const paths = unusable.map(({ rule }) => rule.path);
  const hint: Hint = unusable.every(({ errno }) => isMissing(errno))
    ? { id: "missing", paths }
    : { id: unusable.every(({ kind }) => kind) ? "needless" : "unusable" };
  return new LandlockError("ERR_LANDLOCK_PATH", problem, {
    hint,
    syscall: first.syscall,
    errno: -first.errno,
    path: first.rule.path,
  });
}

/** The kind of an open file outside of the file hierarchy, according to /proc. */
function kindOf(fd: number): string {
  const { readlinkSync } = require("node:fs") as typeof import("node:fs");
  try {
    const link = readlinkSync(`/proc/self/fd/${fd}`);
    return /^(?:\/)?(pipe|socket|memfd):/.exec(link)?.[1] ?? "file without a place";
  } catch {
    return "pipe, a socket or the like";
  }
}

function refused(syscall: string, errno: number, path?: string): LandlockError {
  const details = path === undefined ? {} : { path };
  return syscallError("Cannot build the ruleset", syscall, -errno, details);
}
