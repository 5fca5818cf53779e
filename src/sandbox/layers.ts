/**
 * Records the layers of this thread for `explain()`. All bundles of this package share the record,
 * so `explain()` in the program knows what the preload enforced. A Worker doesn't know the layers
 * of its creator.
 */
import type { Rights } from "../kernel/abi.ts";
import type { PathRule, PortRule } from "./plan.ts";

/** A ruleset's rules, and when and where their paths were opened. */
export interface LayerRecord {
  readonly handled: Rights;
  readonly rules: readonly (PathRule | PortRule)[];
  /**
   * Milliseconds since 1970. A file that was put at a path later isn't the one that the rule
   * grants.
   */
  readonly at: number;
  /** The folder that relative paths in the rules start from. */
  readonly cwd: string;
}

/** A command that was started inside a ruleset, or that failed to start. */
export interface Started {
  readonly layer: LayerRecord;
  readonly command: readonly string[];
  readonly cwd: string | undefined;
  /** The layers of this process at that time, which the command inherits. */
  readonly inherited: readonly LayerRecord[];
}

interface Notes {
  enforced: readonly LayerRecord[];
  readonly started: WeakMap<object, Started>;
}

const key = Symbol.for("bun-landlock:enforced");
const shared = globalThis as { [key]?: Notes };

/** Created on first use. */
function notes(): Notes {
  const known = shared[key];
  if (known) return known;
  const value: Notes = { enforced: [], started: new WeakMap() };
  Object.defineProperty(shared, key, { value });
  return value;
}

/** Describes a ruleset that was just built, for later records. */
export function recordLayer(handled: Rights, rules: LayerRecord["rules"]): LayerRecord {
  const isRelative = rules.some((rule) => "path" in rule && !rule.path.startsWith("/"));
  return { handled, rules, at: Date.now(), cwd: isRelative ? process.cwd() : "/" };
}

/** Records that this process is now restricted by a ruleset. */
export function noteEnforced(layer: LayerRecord): void {
  notes().enforced = [...notes().enforced, layer];
}

/** Records the ruleset of a child, or of the error that replaced it. */
export function noteStarted<Child>(
  child: Child,
  layer: LayerRecord,
  command: readonly string[],
  cwd: string | undefined,
): Child {
  if (typeof child === "object" && child !== null) {
    const { enforced, started } = notes();
    started.set(child, { layer, command, cwd, inherited: enforced });
  }
  return child;
}

/** The layers that this thread enforced, in order. */
export function enforcedLayers(): readonly LayerRecord[] {
  return notes().enforced;
}

/** What is recorded about a child, or about the error that replaced it. */
export function startedAs(child: object): Started | undefined {
  return notes().started.get(child);
}
