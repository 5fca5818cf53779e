/** The result of `restrict()`. */
import type { Rights } from "../kernel/abi.ts";
import type { AbiUse, PathRule, PortRule, Ungranted, Unenforced } from "./plan.ts";

/** How the threads of the process were restricted. */
export interface ThreadReport {
  /** The number of restricted threads, including the caller. */
  readonly count: number;
  /** By the kernel (from ABI 8 on), by a signal to each thread (below), or not at all. */
  readonly method: "tsync" | "broadcast" | "none";
}

/** What was really enforced. Frozen plain data. */
export interface Report {
  /**
   * `"full"`: everything requested is restricted. `"partial"`: all but `unenforced` is. `"none"`:
   * nothing is.
   */
  readonly enforcement: "full" | "partial" | "none";
  readonly abi: AbiUse;
  /** Rights that are now denied unless a rule grants them. */
  readonly handled: Rights;
  /** Requested restrictions that this kernel can't enforce. */
  readonly unenforced: Unenforced;
  /** Rights of rules that this kernel can't grant, so they stay denied. */
  readonly ungranted: readonly Ungranted[];
  /** Missing paths of rules with `.ignoreIfMissing()`. */
  readonly skippedPaths: readonly string[];
  /** Directories that were made for rules with `.createIfMissing()`. */
  readonly createdPaths: readonly string[];
  /** The rules that the kernel was given. */
  readonly rules: readonly (PathRule | PortRule)[];
  readonly threads: ThreadReport;
  /** Files that decide what presets grant, but that these rules allow changing or making. */
  readonly rewritable: readonly string[];
  /** What this kernel's Landlock can't restrict at all. */
  readonly notCovered: readonly string[];
}
