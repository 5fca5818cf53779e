/**
 * What was put into force here, for `explain()`. A thread has one list, whichever of the package's
 * bundles asks: what the preload enforced, `explain()` of the main module has to know. A Worker has
 * another one, and does not know the layers of the thread that made it.
 */
import type { Rights } from "../kernel/abi.ts";
import type { PathRule, PortRule } from "./plan.ts";

/** A ruleset's rules, and when and where their paths were opened. */
export interface Bound {
  readonly handled: Rights;
  readonly rules: readonly (PathRule | PortRule)[];
  /** Milliseconds since 1970: what is at a path and younger is not what the rule is about. */
  readonly at: number;
  /** What relative paths of the rules belong to. */
  readonly cwd: string;
}

/** A command that was started inside a ruleset, or could not be. */
export interface Started {
  readonly bound: Bound;
  readonly command: readonly string[];
  readonly cwd: string | undefined;
  /** The layers of this process at that time, which the command inherits. */
  readonly inherited: readonly Bound[];
}

interface Notes {
  enforced: readonly Bound[];
  readonly started: WeakMap<object, Started>;
}

const key = Symbol.for("bun-landlock:enforced");
const shared = globalThis as { [key]?: Notes };

/** Made when there is something to note. */
function notes(): Notes {
  const known = shared[key];
  if (known) return known;
  const value: Notes = { enforced: [], started: new WeakMap() };
  Object.defineProperty(shared, key, { value });
  return value;
}

/** Notes the rules of a ruleset that was just built. */
export function bind(handled: Rights, rules: Bound["rules"]): Bound {
  const isRelative = rules.some((rule) => "path" in rule && !rule.path.startsWith("/"));
  return { handled, rules, at: Date.now(), cwd: isRelative ? process.cwd() : "/" };
}

/** Notes that this process is restricted by a ruleset from now on. */
export function noteEnforced(bound: Bound): void {
  const all = notes();
  all.enforced = [...all.enforced, bound];
}

/** Notes the ruleset of a child, or of the error in its place. */
export function noteStarted<Child>(
  child: Child,
  bound: Bound,
  command: readonly string[],
  cwd: string | undefined,
): Child {
  if (typeof child === "object" && child !== null) {
    const { enforced, started } = notes();
    started.set(child, { bound, command, cwd, inherited: enforced });
  }
  return child;
}

/** The layers that this thread put into force, in their order. */
export function enforcedLayers(): readonly Bound[] {
  return notes().enforced;
}

/** What is known of a child, or of the error in its place. */
export function startedAs(child: object): Started | undefined {
  return notes().started.get(child);
}
