import type { Rights } from "../kernel/abi.ts";
import { plainData } from "./frozen.ts";
import type { AbiUse, PathRule, Plan, PortRule, Ungranted, Unenforced } from "./plan.ts";

/** How the threads of the process were reached. */
export interface ThreadReport {
  /** Restricted threads, the caller included. */
  readonly count: number;
  /** By the kernel (ABI 8), by a signal to each thread (below), or not at all. */
  readonly method: "tsync" | "broadcast" | "none";
}

/** What a ruleset was given in the end: paths opened, narrowed or skipped. */
export interface Built {
  readonly rules: readonly (PathRule | PortRule)[];
  readonly skippedPaths: readonly string[];
  readonly createdPaths: readonly string[];
}

/** What really happened. Frozen plain data. */
export interface Report {
  /**
   * `"full"`: all that was asked for is restricted. `"partial"`: `unenforced` is not.
   * `"none"`: nothing is.
   */
  readonly enforcement: "full" | "partial" | "none";
  readonly abi: AbiUse;
  /** What is denied from now on unless a rule grants it. */
  readonly handled: Rights;
  /** Weaker than asked: this kernel cannot restrict it. */
  readonly unenforced: Unenforced;
  /** Stricter than asked: a right that this kernel cannot grant. */
  readonly ungranted: readonly Ungranted[];
  /** Paths that do not exist, of rules with `.ignoreIfMissing()`. */
  readonly skippedPaths: readonly string[];
  /** Paths that did not exist and are directories now, of rules with `.createIfMissing()`. */
  readonly createdPaths: readonly string[];
  /** What the kernel was given. */
  readonly rules: readonly (PathRule | PortRule)[];
  readonly threads: ThreadReport;
  /** Files that chose what presets grant, and that these rules let be changed. */
  readonly rewritable: readonly string[];
  /** What this kernel's Landlock does not see at all. */
  readonly notCovered: readonly string[];
}

/** The report of a plan that was built and enforced. */
export function reportOf(plan: Plan, built: Built, threads: ThreadReport): Report {
  const { enforcement, abi, handled, unenforced, ungranted, rewritable, notCovered } = plan;
  return plainData({
    enforcement,
    abi,
    handled,
    unenforced,
    ungranted,
    skippedPaths: Object.freeze(built.skippedPaths),
    createdPaths: Object.freeze(built.createdPaths),
    rules: Object.freeze(built.rules),
    threads: Object.freeze(threads),
    rewritable,
    notCovered,
  });
}
