/**
 * Reads the Landlock project's own format like its reference implementation. Granted rights are
 * handled too, missing paths are skipped, and rights that the kernel lacks are left out. Unlike
 * there, relative paths start from the file's folder, as in all policies here.
 *
 * @see {@link https://github.com/landlock-lsm/landlockconfig}
 */
import { trusted } from "../validate/values.ts";
import {
  accessNet,
  newestAbi,
  rightsOf,
  scopes,
  type FsRight,
  type NetRight,
  type Rights,
  type Scope,
} from "../kernel/abi.ts";
import { landlock } from "../sandbox/config.ts";
import { FsRule, inOrder, NetRule } from "../sandbox/rules.ts";
import type { Parsed } from "../validate/schemas.ts";
import type { ConfigAndRules } from "./own.ts";
import { toPaths, type Origin } from "./paths.ts";
import type { Complain, Variables } from "./variables.ts";

type Source = Parsed["landlockConfig"];

/** Keys that only this format has. */
const ownKeys = ["variable", "ruleset", "pathBeneath", "path_beneath", "netPort", "net_port"];

/** Whether a policy is in this format. */
export function isLandlockConfig(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  try {
    return ownKeys.some((key) => Object.hasOwn(value, key));
  } catch {
    // A proxy may throw. The schema reports it with a proper message.
    return false;
  }
}

/**
 * Reads a configuration that its schema accepted.
 *
 * @param base The folder that relative paths start from
 */
export function readLandlockConfig(
  source: Source,
  base: string,
  complain: Complain,
): ConfigAndRules {
  const origin = { base, variables: variablesOf(source), complain };
  const groups = groupsOf(source.abi, complain);
  const handled = handledBy(source, groups, complain);
  const rules = [...pathRules(source, groups, origin), ...portRules(source, groups, complain)];
  for (const rule of rules) {
    if (rule.kind === "fs") handled.fs.push(...rule.access);
    else handled.net.push(...rule.access);
  }
  const config = landlock.config({
    fs: inOrder(handled.fs),
    net: accessNet.filter((right) => handled.net.includes(right)),
    scoped: scopes.filter((scope) => handled.scoped.includes(scope)),
  });
  if (config.fs.length + config.net.length + config.scoped.length === 0) {
    throw complain("ruleset", "nothing is restricted: name a right to handle or to grant");
  }
  return { config: config.bestEffort(), rules };
}

/**
 * A variable that is defined twice has the values of both. One without values expands to nothing.
 */
function variablesOf(source: Source): Variables {
  const variables = new Map<string, readonly string[]>();
  for (const { name, literal = [] } of source.variable ?? []) {
    variables.set(name, [...new Set([...(variables.get(name) ?? []), ...literal])]);
  }
  return variables;
}

/** Replaces `abi.all`, `abi.read_execute` and `abi.read_write` by their rights. */
type Groups = <Family extends keyof Rights>(
  family: Family,
  names: readonly string[],
  place: string,
) => Rights[Family][number][];

function groupsOf(abi: number | undefined, complain: Complain): Groups {
  const all = rightsOf(Math.min(abi ?? 0, newestAbi));
  const reading: readonly FsRight[] = ["execute", "read_file", "read_dir", "refer"];
  const groups: Record<string, readonly FsRight[]> = {
    "abi.read_execute": all.fs.filter((right) => reading.includes(right)),
    "abi.read_write": all.fs.filter((right) => right !== "execute"),
  };
  return (family, names, place) =>
    names.flatMap((name, i) => {
      if (!name.startsWith("abi.")) return [name] as never[];
      if (abi !== undefined) return (groups[name] ?? all[family]) as never[];
      throw complain(`${place}[${i}]`, `"${name}" needs to know the ABI: add the key abi`);
    });
}

/** The value under either the JSON or the TOML name of a key. Having both is an error. */
function either<Value>(
  source: Readonly<Record<string, unknown>>,
  names: readonly [json: string, toml: string],
  place: string,
  complain: Complain,
): { key: string; value: Value } {
  const [key = names[0], other] = names.filter((name) => source[name] !== undefined);
  if (other === undefined) return { key: `${place}${key}`, value: source[key] as Value };
  throw complain(`${place}${other}`, `${key} means the same: remove one of the two`);
}

function handledBy(source: Source, groups: Groups, complain: Complain) {
  const handled = { fs: [] as FsRight[], net: [] as NetRight[], scoped: [] as Scope[] };
  for (const [i, ruleset] of (source.ruleset ?? []).entries()) {
    const read = (names: readonly [string, string]) =>
      either<readonly string[] | undefined>(ruleset, names, `ruleset[${i}].`, complain);
    const fs = read(["handledAccessFs", "handled_access_fs"]);
    const net = read(["handledAccessNet", "handled_access_net"]);
    const scoped = ruleset.scoped ?? [];
    if (!fs.value && !net.value && !ruleset.scoped) {
      throw complain(`ruleset[${i}]`, "it is empty: name what it handles, or remove it");
    }
    handled.fs.push(...groups("fs", fs.value ?? [], fs.key));
    handled.net.push(...groups("net", net.value ?? [], net.key));
    handled.scoped.push(...groups("scoped", scoped, `ruleset[${i}].scoped`));
  }
  return handled;
}

function allowedBy<Family extends "fs" | "net">(
  rule: Readonly<Record<string, unknown>>,
  family: Family,
  groups: Groups,
  place: string,
  complain: Complain,
) {
  const names = ["allowedAccess", "allowed_access"] as const;
  const { key, value } = either<readonly string[] | undefined>(rule, names, place, complain);
  if (value) return groups(family, value, key);
  throw complain(key, "it is missing: give a list of rights");
}

function pathRules(source: Source, groups: Groups, origin: Origin): FsRule[] {
  const { complain } = origin;
  const names = ["pathBeneath", "path_beneath"] as const;
  const { key, value } = either<Source["pathBeneath"]>(source, names, "", complain);
  return (value ?? []).map((rule, i) => {
    const place = `${key}[${i}].`;
    const access = inOrder(allowedBy(rule, "fs", groups, place, complain));
    const paths = [...new Set(toPaths(rule.parent, `${place}parent`, origin))];
    return new FsRule(
      {
        access,
        explicit: access,
        paths,
        onFile: "narrow",
        onMissing: "skip",
        onDenial: "log",
      },
      trusted,
    );
  });
}

function portRules(source: Source, groups: Groups, complain: Complain): NetRule[] {
  const names = ["netPort", "net_port"] as const;
  const { key, value } = either<Source["netPort"]>(source, names, "", complain);
  return (value ?? []).flatMap((rule, i) => {
    const allowed = allowedBy(rule, "net", groups, `${key}[${i}].`, complain);
    const access = accessNet.filter((right) => allowed.includes(right));
    const ports = [...new Set(rule.port)];
    // Below ABI 4 the group abi.all contains no network right.
    return access.length === 0 ? [] : [new NetRule({ access, ports, onDenial: "log" }, trusted)];
  });
}
