/** Combines rules with the same rights into one rule for all their paths. */
import { fixOf, type RuleSpec } from "../spell.ts";

const order = ["roDirs", "roFiles", "rwDirs", "rwFiles"];

/** Combines rules to use as few words as possible. */
export function mergeRules(ruleSpecs: readonly RuleSpec[]): readonly RuleSpec[] {
  const groups = new Map<string, RuleSpec>();
  for (const ruleSpec of ruleSpecs) {
    const key = keyOf(ruleSpec);
    const known = groups.get(key);
    if (known && "paths" in known && "paths" in ruleSpec) {
      groups.set(key, { ...known, paths: [...known.paths, ...ruleSpec.paths] });
    } else if (known?.kind === "port" && ruleSpec.kind === "port") {
      const ports = [...known.ports, ...ruleSpec.ports].sort((a, b) => a - b);
      groups.set(key, { ...known, ports });
    } else groups.set(key, ruleSpec);
  }
  return [...groups.values()].sort((a, b) => rank(a) - rank(b));
}

function keyOf(ruleSpec: RuleSpec): string {
  const missing = "ifMissing" in ruleSpec ? ruleSpec.ifMissing : "";
  if (ruleSpec.kind === "verb") return [ruleSpec.verb, ...ruleSpec.with, missing].join();
  if (ruleSpec.kind === "exact")
    return JSON.stringify([ruleSpec.access, ruleSpec.nearest, missing]);
  return ruleSpec.kind === "port" ? ruleSpec.right : `preset ${ruleSpec.spec}`;
}

/** Paths come first, those that can only be read before the others; then ports, then presets. */
function rank(ruleSpec: RuleSpec): number {
  if (ruleSpec.kind === "preset") return order.length + 1;
  const near =
    ruleSpec.kind === "exact" ? ruleSpec.nearest : ruleSpec.kind === "verb" ? ruleSpec : undefined;
  return near === undefined ? order.length : order.indexOf(near.verb);
}

/**
 * Joins words for `landlock-restrict` so that each option appears only once.
 *
 * @param flags The words of each rule
 */
export function joinFlags(flags: readonly (readonly string[])[]): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const words of flags) {
    const start = words.findIndex((word, i) => i > 0 && !word.startsWith("+"));
    if (start < 0) continue;
    const option = words.slice(0, start).join(" ");
    groups.set(option, [...(groups.get(option) ?? []), ...words.slice(start)]);
  }
  return [...groups].flatMap(([option, values]) => [...option.split(" "), ...new Set(values)]);
}

/** The words for some rules. */
export function wordsOf(ruleSpecs: readonly RuleSpec[]): readonly string[] {
  return joinFlags(mergeRules(ruleSpecs).map((ruleSpec) => fixOf([ruleSpec]).flags));
}
