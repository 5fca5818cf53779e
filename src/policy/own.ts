/** Turns a policy in this library's own format into a Config and rules. */
import type { Config } from "../sandbox/config.ts";
import { LandlockError } from "../errors/errors.ts";
import { settingsAs } from "../errors/hints.ts";
import { abiOfRight, newestAbi, type FsRight, type NetRight, type Rights } from "../kernel/abi.ts";
import { landlock } from "../sandbox/config.ts";
import { presetOf } from "../presets/presets.ts";
import type { FsRule, Rule } from "../sandbox/rules.ts";
import { pathAccess, pathRule, portRule } from "../sandbox/rules.ts";
import type { Parsed } from "../validate/schemas.ts";
import { missingModifiers, pathKeys, pathRuleFor, portKeys, portRules } from "../vocabulary.ts";
import { handledPart, withRights } from "./handled.ts";
import { toPaths, type Origin } from "./paths.ts";
import { expand, readVariables, type Complain } from "./variables.ts";

/** What a policy is turned into. */
export interface ConfigAndRules {
  readonly config: Config;
  readonly rules: readonly Rule[];
}

/**
 * Reads a policy that its schema accepted.
 *
 * @param base The folder that relative paths start from
 */
export function readPolicy(
  policy: Parsed["policy"],
  base: string,
  complain: Complain,
): ConfigAndRules {
  const config = configOf(policy, complain);
  const variables = readVariables(policy.variables ?? {}, complain);
  const origin = { base, variables, complain };
  const rules: Rule[] = [];
  for (const key of pathKeys) {
    const paths = policy[key];
    if (paths) rules.push(pathRule(pathRuleFor(key), ...toPaths(paths, key, origin)));
  }
  for (const [i, grant] of (policy.paths ?? []).entries()) {
    rules.push(grantRule(grant, `paths[${i}]`, config, origin));
  }
  for (const key of portKeys) {
    const ports = policy[key];
    if (ports === undefined) continue;
    requireRight(config, portRules[key].right, key, complain);
    rules.push(portRule(key, ...ports));
  }
  for (const [i, preset] of (policy.presets ?? []).entries()) {
    for (const spec of expand(preset, variables, `presets[${i}]`, complain)) {
      rules.push(...handledPart(presetRule(spec, base, `presets[${i}]`, complain), config));
    }
  }
  return { config, rules };
}

function configOf(policy: Parsed["policy"], complain: Complain): Config {
  const { abi = newestAbi, bestEffort = false, unrestricted = [] } = policy;
  const keysIn = { paths: [...pathKeys, "paths"] as const, net: portKeys, scoped: [] };
  for (const [i, family] of unrestricted.entries()) {
    const keys = family in keysIn ? keysIn[family as keyof typeof keysIn] : [family as "bindTcp"];
    const key = keys.find((name) => policy[name] !== undefined);
    if (key === undefined) continue;
    throw complain(
      `unrestricted[${i}]`,
      `"${family}" is unrestricted here, but ${key} grants something in it: remove one of the two`,
    );
  }
  const all = landlock[`V${abi}` as "V1"];
  const free = (family: (typeof unrestricted)[number]) => unrestricted.includes(family);
  const freeRights = new Set<NetRight>();
  for (const key of portKeys) if (free("net") || free(key)) freeRights.add(portRules[key].right);
  const kept: Rights = {
    fs: free("paths") ? [] : all.fs,
    net: all.net.filter((right) => !freeRights.has(right)),
    scoped: free("scoped") ? [] : all.scoped,
  };
  if (kept.fs.length + kept.net.length + kept.scoped.length === 0) {
    throw complain(
      "unrestricted",
      `nothing is left that Landlock ABI ${abi} restricts: remove an entry, or raise abi`,
    );
  }
  const config = withRights(all, kept);
  if (bestEffort === false) return config;
  return config.bestEffort(bestEffort === true ? undefined : bestEffort);
}

/** A policy may only name rights that it restricts. */
function requireRight(
  config: Config,
  right: FsRight | NetRight,
  place: string,
  complain: Complain,
): void {
  const handled: readonly string[] = [...config.fs, ...config.net];
  if (handled.includes(right)) return;
  throw complain(
    place,
    `${right} needs Landlock ABI ${abiOfRight(right)}, but abi is ${config.abi}: remove it, or raise abi`,
  );
}

type Grant = NonNullable<Parsed["policy"]["paths"]>[number];

function grantRule(grant: Grant, place: string, config: Config, origin: Origin): FsRule {
  const { access } = grant;
  const paths = toPaths(grant.paths, `${place}.paths`, origin);
  // No later error would report a path that may be missing.
  if ((grant.ifMissing ?? "fail") !== "fail") {
    requireReplaced(grant.paths, `${place}.paths`, origin);
  }
  if (typeof access !== "string") {
    for (const [i, right] of access.entries()) {
      requireRight(config, right, `${place}.access[${i}]`, origin.complain);
    }
  }
  let rule =
    typeof access === "string"
      ? pathRule(pathRuleFor(access), ...paths)
      : pathAccess(access, ...paths);
  if (grant.refer) {
    requireRight(config, "refer", `${place}.refer`, origin.complain);
    rule = rule.withRefer();
  }
  if (rule.access.length === 0) {
    throw origin.complain(`${place}.access`, "[] grants nothing: name a right, or remove it");
  }
  const { ifMissing = "fail" } = grant;
  return ifMissing === "fail" ? rule : rule[missingModifiers[ifMissing].method]();
}

/** Rejects a shell's `$NAME`, which would be taken literally. */
function requireReplaced(templates: readonly string[], place: string, { complain }: Origin): void {
  for (const [i, template] of templates.entries()) {
    const name = /(?:^|\/)\$([A-Za-z_]\w*)(?:\/|$)/.exec(template.replaceAll("$$", ""))?.[1];
    if (name === undefined) continue;
    throw complain(
      `${place}[${i}]`,
      `$${name} is not replaced: write \${${name}}, with ${settingsAs(complain.notation, { variables: { [name]: { env: name } } })}, or $$${name} for a file of that name`,
    );
  }
}

function presetRule(spec: string, base: string, place: string, complain: Complain): Rule {
  try {
    return presetOf(spec, base);
  } catch (error) {
    if (error instanceof LandlockError) throw complain(place, error);
    throw error;
  }
}
