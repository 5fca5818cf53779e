/** The data of rules. Equal plain data, such as parsed JSON, is a rule too. */
import type { FsRight, NetRight } from "../kernel/abi.ts";

/** What to do if a path doesn't exist. */
export type OnMissing = "fail" | "skip" | "create";

/** The data of an `FsRule`. */
export interface FsRuleData {
  readonly kind: "fs";
  /** Rights granted beneath each path. */
  readonly access: readonly FsRight[];
  /** The rights that were requested by name, which the Config must handle. */
  readonly explicit: readonly FsRight[];
  readonly paths: readonly string[];
  /** If a path isn't a directory: grant only the file rights, or fail. */
  readonly onFile: "narrow" | "fail";
  /** If a path doesn't exist: fail, skip and report it, or make a directory there. */
  readonly onMissing: OnMissing;
  /** Whether denials beneath the paths are written to the audit log. */
  readonly onDenial: "log" | "quiet";
  /**
   * For presets: absolute paths of the files whose content decided what is granted, and of missing
   * files that would come first if they existed.
   */
  readonly chosenBy?: readonly string[];
  /**
   * For presets: for each path, the identity of the inspected file, or `""`. If another file is
   * there when the ruleset is built, it is an error.
   */
  readonly identities?: readonly string[];
}

/** The data of a `NetRule`. */
export interface NetRuleData {
  readonly kind: "net";
  /** Rights granted on each port. */
  readonly access: readonly NetRight[];
  /** 0 to 65535. With 0 the kernel picks a port. */
  readonly ports: readonly number[];
  /** Whether denials on the ports are written to the audit log. */
  readonly onDenial: "log" | "quiet";
}

/** The data of a `CompositeRule`. */
export interface CompositeRuleData {
  readonly kind: "composite";
  readonly rules: readonly Rule[];
}

/** What the methods of a Config accept: a rule, or equal plain data, such as parsed JSON. */
export type Rule = FsRuleData | NetRuleData | CompositeRuleData;
