/** From a draft to what stands in a policy file: its keys, and paths as people write them. */
import { rightsOf, type FsRight } from "../kernel/abi.ts";
import { presetOf } from "../presets/presets.ts";
import type { FsRule, Rule } from "../sandbox/rule.ts";
import { pathAccess, pathRule, portRule, roFiles, rwDirs, rwFiles } from "../sandbox/rules.ts";
import {
  missingModifiers,
  nameFor,
  pathKeys,
  pathRules,
  portRuleFor,
  type PathKey,
  type PortRuleName,
} from "../vocabulary.ts";
import type { Draft } from "../advise/draft.ts";
import { isWritable, ordered } from "../advise/fold.ts";
import { escaped, type Names } from "./names.ts";
import { statsOf } from "../advise/stats.ts";

/** The keys of a policy that are lists of texts, in the order in which they are written. */
export const textKeys = ["presets", ...pathKeys, "unrestricted"] as const;

/** An entry of the list `paths`. */
export interface Entry {
  readonly access: PathKey | readonly FsRight[];
  readonly refer?: true;
  readonly ifMissing?: "skip" | "create";
  readonly paths: readonly string[];
}

/** What a policy gets. */
export interface Content {
  readonly texts: ReadonlyMap<(typeof textKeys)[number], readonly string[]>;
  readonly ports: ReadonlyMap<PortRuleName, readonly number[]>;
  readonly paths: readonly Entry[];
  /** Names of variables, and their values. */
  readonly variables: ReadonlyMap<string, string | { readonly env: string }>;
}

/** What a policy that is extended says about itself. */
export interface Limits {
  /** Rights of newer ones cannot be granted by it. */
  readonly abi: number;
  /** What it leaves alone: nothing is to be granted of that. */
  readonly unrestricted: readonly string[];
}

/** What a policy gets, and the rules that it is to come to. */
export interface Written {
  readonly content: Content;
  readonly rules: readonly Rule[];
}

/** Writes down a draft. */
export function contentOf(draft: Draft, names: Names, { abi, unrestricted }: Limits): Written {
  const restricts = rightsOf(abi);
  const lists = new Map<(typeof textKeys)[number], string[]>();
  const entries = new Map<string, { grant: Grant; paths: string[] }>();
  const ports = new Map<PortRuleName, readonly number[]>();
  const rules: Rule[] = [];
  const add = (key: (typeof textKeys)[number], text: string) =>
    lists.set(key, [...(lists.get(key) ?? []), text]);
  for (const { spec, program } of draft.presets) {
    add(
      "presets",
      program === undefined ? escaped(spec) : `executable=${names.writeProgram(program)}`,
    );
    rules.push(presetOf(spec, "/"));
  }
  for (const [path, rights] of unrestricted.includes("paths") ? [] : draft.grants) {
    const known = ordered(rights).filter((right) => restricts.fs.includes(right));
    if (known.length === 0) continue;
    const missing = draft.missing.get(path);
    const grant: Grant = {
      ...grantFor(known, missing === "create" || (missing === undefined && isDirectory(path))),
      ...(missing === undefined ? {} : { ifMissing: missing }),
    };
    rules.push(ruleFor(grant, path));
    const name = names.write(path);
    if (typeof grant.access === "string" && !grant.refer && missing === undefined) {
      add(grant.access, name);
      continue;
    }
    const place = JSON.stringify(grant);
    const entry = entries.get(place);
    if (entry) entry.paths.push(name);
    else entries.set(place, { grant, paths: [name] });
  }
  if (draft.leavesScope && !unrestricted.includes("scoped")) add("unrestricted", "scoped");
  for (const [right, list] of draft.ports) {
    const key = portRuleFor(right);
    const isFree = unrestricted.includes("net") || unrestricted.includes(key);
    if (isFree || !restricts.net.includes(right)) continue;
    ports.set(key, list);
    rules.push(portRule(key, ...list));
  }
  const content = {
    texts: new Map([...lists].map(([key, list]) => [key, key === "presets" ? list : list.sort()])),
    ports,
    paths: [...entries.values()].map(({ grant, paths }) => ({ ...grant, paths: paths.sort() })),
    variables: names.variables,
  };
  return { content, rules };
}

type Grant = Omit<Entry, "paths">;

function ruleFor({ access, refer, ifMissing }: Grant, path: string): FsRule {
  let rule =
    typeof access === "string"
      ? pathRule(nameFor(pathRules, "key", access)!, path)
      : pathAccess(access, path);
  if (refer) rule = rule.withRefer();
  return ifMissing ? rule[missingModifiers[ifMissing].method]() : rule;
}

function isDirectory(path: string): boolean {
  return statsOf(path)?.isDirectory() ?? true;
}

function grantFor(rights: readonly FsRight[], directory: boolean): Grant {
  const within = (list: readonly FsRight[]) => rights.every((right) => list.includes(right));
  if (!directory) {
    if (within(roFiles("/").access)) return { access: "roFiles" };
    return { access: within(rwFiles("/").access) ? "rwFiles" : rights };
  }
  if (within(["execute", "read_file", "read_dir"]) && rights.includes("read_file")) {
    return { access: "ro" };
  }
  const writable = isWritable(new Set(rights));
  if (writable && within(rwDirs("/").access)) return { access: "rw" };
  if (writable && within([...rwDirs("/").access, "refer"])) return { access: "rw", refer: true };
  return { access: rights };
}
