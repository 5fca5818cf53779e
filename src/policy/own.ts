/** From a policy in this library's own format to a Config and rules. */
import type { Config } from "../sandbox/config.ts";
import { LandlockError, messageFor } from "../errors/errors.ts";
import { abiOfRight, newestAbi, type FsRight, type NetRight, type Rights } from "../kernel/abi.ts";
import { landlock } from "../sandbox/landlock.ts";
import { presetOf } from "../presets/presets.ts";
import type { FsRule, Rule } from "../sandbox/rule.ts";
import {
  bindTcp,
  bindUdp,
  connectSendUdp,
  connectTcp,
  pathAccess,
  roDirs,
  roFiles,
  rwDirs,
  rwFiles,
} from "../sandbox/rules.ts";
import type { Parsed } from "../validate/schemas.ts";
import { fitted, limited } from "./fitted.ts";
import { toPaths, type Origin } from "./paths.ts";
import { expand, readVariables, type Complain } from "./variables.ts";

const pathKeys = { ro: roDirs, rw: rwDirs, roFiles, rwFiles };

const portKeys = {
  bindTcp: { make: bindTcp, right: "bind_tcp" },
  connectTcp: { make: connectTcp, right: "connect_tcp" },
  bindUdp: { make: bindUdp, right: "bind_udp" },
  connectSendUdp: { make: connectSendUdp, right: "connect_send_udp" },
} as const;

/** The keys of an object, typed. */
function keysOf<Table extends object>(table: Table): (keyof Table & string)[] {
  return Object.keys(table) as (keyof Table & string)[];
}

/** What a policy comes to. */
export interface Meaning {
  readonly config: Config;
  readonly rules: readonly Rule[];
}

/**
 * Reads a policy that its schema let through.
 *
 * @param base The folder that relative paths belong to
 */
export function readPolicy(policy: Parsed["policy"], base: string, complain: Complain): Meaning {
  const config = configOf(policy, complain);
  const variables = readVariables(policy.variables ?? {}, complain);
  const origin = { base, variables, complain };
  const rules: Rule[] = [];
  for (const key of keysOf(pathKeys)) {
    const paths = policy[key];
    if (paths) rules.push(pathKeys[key](...toPaths(paths, key, origin)));
  }
  for (const [i, grant] of (policy.paths ?? []).entries()) {
    rules.push(grantRule(grant, `paths[${i}]`, config, origin));
  }
  for (const key of keysOf(portKeys)) {
    const ports = policy[key];
    if (ports === undefined) continue;
    const { make, right } = portKeys[key];
    requireRight(config, right, key, complain);
    rules.push(make(...ports));
  }
  for (const [i, preset] of (policy.presets ?? []).entries()) {
    for (const spec of expand(preset, variables, `presets[${i}]`, complain)) {
      rules.push(...fitted(presetRule(spec, base, `presets[${i}]`, complain), config));
    }
  }
  return { config, rules };
}

function configOf(policy: Parsed["policy"], complain: Complain): Config {
  const { abi = newestAbi, bestEffort = false, unrestricted = [] } = policy;
  const families = {
    paths: [...keysOf(pathKeys), "paths"] as const,
    net: keysOf(portKeys),
    scoped: [],
    bindTcp: ["bindTcp"],
    connectTcp: ["connectTcp"],
    bindUdp: ["bindUdp"],
    connectSendUdp: ["connectSendUdp"],
  } as const;
  for (const [i, family] of unrestricted.entries()) {
    const key = families[family].find((name) => policy[name] !== undefined);
    if (key === undefined) continue;
    throw complain(
      `unrestricted[${i}]`,
      `"${family}" is left alone here, and ${key} grants something in it: take out one of the two`,
    );
  }
  const all = landlock[`V${abi}` as "V1"];
  const free = (family: (typeof unrestricted)[number]) => unrestricted.includes(family);
  const freeRights = new Set<NetRight>();
  for (const key of keysOf(portKeys))
    if (free("net") || free(key)) freeRights.add(portKeys[key].right);
  const kept: Rights = {
    fs: free("paths") ? [] : all.fs,
    net: all.net.filter((right) => !freeRights.has(right)),
    scoped: free("scoped") ? [] : all.scoped,
  };
  if (kept.fs.length + kept.net.length + kept.scoped.length === 0) {
    throw complain(
      "unrestricted",
      `nothing is left that Landlock ABI ${abi} restricts: take out an entry, or raise abi`,
    );
  }
  const config = limited(all, kept);
  if (bestEffort === false) return config;
  return config.bestEffort(bestEffort === true ? undefined : bestEffort);
}

/** A right that a policy names has to be one that it restricts. */
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
    `${right} needs Landlock ABI ${abiOfRight(right)} and abi is ${config.abi}: take it out, or raise abi`,
  );
}

type Grant = NonNullable<Parsed["policy"]["paths"]>[number];

function grantRule(grant: Grant, place: string, config: Config, origin: Origin): FsRule {
  const { access } = grant;
  const paths = toPaths(grant.paths, `${place}.paths`, origin);
  // If it may be missing, no error about it comes later.
  if (grant.ifMissing === "skip" || grant.ifMissing === "create") {
    requireReplaced(grant.paths, `${place}.paths`, origin);
  }
  if (typeof access !== "string") {
    for (const [i, right] of access.entries()) {
      requireRight(config, right, `${place}.access[${i}]`, origin.complain);
    }
  }
  let rule = typeof access === "string" ? pathKeys[access](...paths) : pathAccess(access, ...paths);
  if (grant.refer) {
    requireRight(config, "refer", `${place}.refer`, origin.complain);
    rule = rule.withRefer();
  }
  if (rule.access.length === 0) {
    throw origin.complain(`${place}.access`, "[] grants nothing: name a right, or take it out");
  }
  if (grant.ifMissing === "create") return rule.createIfMissing();
  return grant.ifMissing === "skip" ? rule.ignoreIfMissing() : rule;
}

/** A shell's `$NAME` stands for itself here, where nobody means that. */
function requireReplaced(templates: readonly string[], place: string, { complain }: Origin): void {
  for (const [i, template] of templates.entries()) {
    const name = /(?:^|\/)\$([A-Za-z_]\w*)(?:\/|$)/.exec(template.replaceAll("$$", ""))?.[1];
    if (name === undefined) continue;
    throw complain(
      `${place}[${i}]`,
      `$${name} is not replaced: write \${${name}}, with "variables": { "${name}": { "env": "${name}" } }, or $$${name} for a file of that name`,
    );
  }
}

function presetRule(spec: string, base: string, place: string, complain: Complain): Rule {
  try {
    return presetOf(spec, base);
  } catch (error) {
    if (error instanceof LandlockError) throw complain(place, messageFor(error, "key"), error);
    throw error;
  }
}
