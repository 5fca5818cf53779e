/** Finds rules with which operations would succeed, and checks them on the model. */
import type { PathRule, PortRule } from "../sandbox/plan.ts";
import { flatten } from "../sandbox/plan.ts";
import type { FsRule, NetRule, Rule } from "../sandbox/rules.ts";
import { fixesFor, type FixContext } from "./fix.ts";
import { layerOf, type KernelVersion, type Layer } from "../model/layer.ts";
import { evaluate, type Denial } from "../model/model.ts";
import type { Operation } from "../model/operation.ts";
import type { Files } from "../model/place.ts";
import type { Fix } from "./spell.ts";

/** More rounds than real chains of rights need, where one rule's right requires another. */
const roundsMax = 8;

/** What decides about an operation. */
export interface Sandbox {
  readonly layers: readonly Layer[];
  readonly files: Files;
  /** What `probe()` returns; default: the newest. */
  readonly kernel?: KernelVersion;
}

/** Everything that a sandbox denies of some operations. */
export function denialsOf(
  operations: readonly Operation[],
  { layers, files, kernel }: Sandbox,
): readonly Denial[] {
  const all = operations.flatMap((operation) => {
    const verdict = evaluate(operation, layers, files, kernel);
    return verdict.allowed ? [] : verdict.denials;
  });
  return [...new Map(all.map((denial) => [JSON.stringify(denial), denial])).values()];
}

/**
 * Rules that would make the operations succeed if added to every layer that denies one. Each rule is
 * enough by itself. Unlike those of `fixesFor()`, they were checked. If a rename would give a file
 * new rights, they also grant those rights at its old place.
 *
 * @returns The same as `fixesFor()`, except that it is empty if no rule helps
 */
export function remediesFor(
  operations: readonly Operation[],
  sandbox: Sandbox,
  context: FixContext = {},
): readonly Fix[] {
  const handled = context.handled ?? sandbox.layers.flatMap((layer) => layer.handled.fs);
  const tries = [0, -1].map((which) =>
    attempt(which, operations, sandbox, { ...context, handled }),
  );
  const found = tries.filter((fix) => fix !== undefined);
  return [...new Map(found.map((fix) => [fix.code, fix])).values()];
}

function attempt(
  which: number,
  operations: readonly Operation[],
  sandbox: Sandbox,
  context: FixContext,
): Fix | undefined {
  let denials = denialsOf(operations, sandbox);
  for (let round = 0; round < roundsMax && denials.length > 0; round++) {
    const fix = fixesFor(denials, sandbox.files, context).at(which);
    if (fix === undefined) return undefined;
    // Only a process outside of the sandbox can make this rule.
    if (fix.rule === undefined) return fix;
    const more = denialsOf(operations, withRule(sandbox, fix.rule));
    if (more.length === 0) return fix;
    if (more.every((denial) => includes(denials, denial))) return undefined;
    denials = [...denials, ...more];
  }
  return undefined;
}

function includes(denials: readonly Denial[], one: Denial): boolean {
  return denials.some((denial) => Bun.deepEquals(denial, one));
}

/** The sandbox with this rule added to all of its layers. */
function withRule(sandbox: Sandbox, rule: Rule): Sandbox {
  const rules = flatten([rule], "explain()").flatMap(plannedRules);
  const layers = sandbox.layers.map((layer) => {
    const more = layerOf({ handled: layer.handled, rules }, sandbox.files);
    return {
      handled: layer.handled,
      // A layer that restricts no paths can't contain path rules, although it denies refer.
      grants: layer.handled.fs.length > 0 ? added(layer.grants, more.grants) : layer.grants,
      ports: added(layer.ports, more.ports),
    };
  });
  return { ...sandbox, layers };
}

function plannedRules(rule: FsRule | NetRule): (PathRule | PortRule)[] {
  if (rule.kind === "net") {
    return rule.ports.map((port) => ({ port, access: rule.access, quiet: false }));
  }
  const { access, onFile, onMissing } = rule;
  return rule.paths.map((path) => ({ path, access, onFile, onMissing, quiet: false }));
}

function added<Key, Right>(
  map: ReadonlyMap<Key, ReadonlySet<Right>>,
  more: ReadonlyMap<Key, ReadonlySet<Right>>,
): ReadonlyMap<Key, ReadonlySet<Right>> {
  const all = new Map(map);
  for (const [key, rights] of more) all.set(key, rights.union(all.get(key) ?? new Set()));
  return all;
}
