/**
 * Reads a written policy like any program that loads it, and compares it with the intended rules.
 */
import type { Config } from "../sandbox/config.ts";
import { LandlockError } from "../errors/errors.ts";
import { landlock } from "../sandbox/config.ts";
import { knownRealPath, lastName, parentOf } from "../kernel/names.ts";
import { handledPart, withRights } from "../policy/handled.ts";
import type { ConfigAndRules } from "../policy/own.ts";
import { readText } from "../policy/read.ts";
import { flatten } from "../sandbox/plan.ts";
import type { Rule } from "../sandbox/rules.ts";
import { portRuleFor } from "../vocabulary.ts";
import type { Written } from "./content.ts";

/**
 * Checks that a text means the intended rules, and nothing else.
 *
 * @param path The absolute path of its file
 * @param before The text that is extended
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_POLICY` if it means anything else
 */
export function requireMeaning(
  text: string,
  path: string,
  { content, rules }: Written,
  before: string | undefined,
): void {
  // Read it again, because presets may grant other files after the run.
  const old = before === undefined ? undefined : readText(before, path);
  const base = old?.config ?? landlock.V11.bestEffort();
  const free = content.texts.get("unrestricted") ?? [];
  const config = withRights(base, {
    fs: base.fs,
    net: base.net.filter((right) => !free.includes("net") && !free.includes(portRuleFor(right))),
    scoped: free.includes("scoped") ? [] : base.scoped,
  });
  const meant = [...(old?.rules ?? []), ...rules.flatMap((rule) => handledPart(rule, config))];
  let difference: string | undefined;
  try {
    const found = readText(text, path);
    difference = differenceOf(found, { config, rules: meant });
  } catch (error) {
    if (!(error instanceof LandlockError)) throw error;
    difference = error.message;
  }
  if (difference === undefined) return;
  throw new LandlockError(
    "ERR_LANDLOCK_INVALID_POLICY",
    `Cannot write ${JSON.stringify(path)}: its text would not mean the same as the rules (${difference}); nothing was written, so give another name or folder`,
    { path },
  );
}

/** A difference between two policies. */
function differenceOf(found: ConfigAndRules, meant: ConfigAndRules): string | undefined {
  if (settingsOf(found.config) !== settingsOf(meant.config)) return "the settings differ";
  const [one, other] = [grantsOf(found.rules), grantsOf(meant.rules)];
  const extra = [...one.difference(other)][0];
  if (extra !== undefined) return `${extra} is granted`;
  const lacking = [...other.difference(one)][0];
  return lacking === undefined ? undefined : `${lacking} is not granted`;
}

function settingsOf(config: Config): string {
  return JSON.stringify(config);
}

/** Where a path leads: `${HOME}` may go through a symbolic link. */
function canonical(path: string): string {
  const real = knownRealPath(path);
  if (real !== undefined) return real;
  const parent = parentOf(path);
  const above = parent === path ? "" : canonical(parent).replace(/^\/$/, "");
  return `${above}/${lastName(path)}`;
}

/** Each right on each path or port, with what to do if a path doesn't exist. */
function grantsOf(rules: readonly Rule[]): Set<string> {
  const grants = new Set<string>();
  for (const rule of flatten(rules, "learn")) {
    for (const right of rule.access) {
      if (rule.kind === "net")
        for (const port of rule.ports) grants.add(`${right} on port ${port}`);
      else {
        const how = `${rule.onFile}, ${rule.onMissing}`;
        for (const path of rule.paths) {
          grants.add(`${right} on ${JSON.stringify(canonical(path))} (${how})`);
        }
      }
    }
  }
  return grants;
}
