/**
 * Landlock sandboxing for Bun: one line of TypeScript, every thread covered.
 *
 * ```ts
 * import { landlock, presets, roDirs, rwDirs } from "bun-landlock";
 *
 * landlock.V11.bestEffort().restrictPaths(
 *   roDirs("/usr", "/bin", "/lib", "/lib64", ".").ignoreIfMissing(), // programs, and the project
 *   rwDirs("/tmp"),
 *   presets.bun(), // what Bun itself opens later
 * );
 * ```
 *
 * @module
 */
export { Config, planFor, type BestEffortOptions } from "./sandbox/config.ts";
export { LandlockError, type LandlockErrorCode } from "./errors/errors.ts";
export { explain, type ExplainOptions } from "./explain/explain.ts";
export type {
  AccessDeniedError,
  Cause,
  Explanation,
  ExplanationData,
  NodePermission,
} from "./explain/explanation.ts";
export type { LayerLike } from "./explain/known.ts";
export type { Denial } from "./model/model.ts";
export type { PermissionScope } from "./explain/question.ts";
export type { Fix } from "./explain/spell.ts";
export type { ConfigData, LogFlag } from "./sandbox/plan.ts";
export {
  accessFs,
  accessNet,
  scopes,
  type FsRight,
  type NetRight,
  type RestrictFlag,
  type Rights,
  type Scope,
} from "./kernel/abi.ts";
export { probe, type Kernel, type KernelState, type Probe } from "./kernel/probe.ts";
export { permissions } from "./explain/permissions.ts";
export type { AbiUse, PathRule, Plan, PortRule, Unenforced, Ungranted } from "./sandbox/plan.ts";
export { landlock, type ConfigRights } from "./sandbox/config.ts";
export { loadPolicy, parsePolicy, Policy, type PolicyOptions } from "./policy/policy.ts";
export { presets } from "./presets/presets.ts";
export type { BunOptions, CwdOptions } from "./presets/system.ts";
export type { DnsOptions } from "./presets/dns.ts";
export type { Report, ThreadReport } from "./sandbox/report.ts";
export type { CompositeRuleData, FsRuleData, NetRuleData, Rule } from "./validate/rule-data.ts";
export {
  CompositeRule,
  FsRule,
  NetRule,
  bindTcp,
  bindUdp,
  composite,
  connectSendUdp,
  connectTcp,
  pathAccess,
  roDirs,
  roFiles,
  rwDirs,
  rwFiles,
} from "./sandbox/rules.ts";
export { Ruleset, type RestrictSelfOptions } from "./sandbox/ruleset.ts";
export type { PathLike } from "./validate/values.ts";
