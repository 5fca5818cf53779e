/** Turns a draft into the content of a policy file: its keys, and paths as people write them. */
import { rightsOf } from "../kernel/abi.ts";
import { presetOf } from "../presets/presets.ts";
import { grantsOf, type Grant } from "../advise/grant.ts";
import type { FsRule, Rule } from "../sandbox/rules.ts";
import { pathAccess, pathRule, portRule } from "../sandbox/rules.ts";
import {
  missingModifiers,
  pathKeys,
  pathRuleFor,
  portRuleFor,
  type PortRuleName,
} from "../vocabulary.ts";
import type { Draft } from "../advise/draft.ts";
import { escaped, type Names } from "./names.ts";

/** The policy's keys for lists of texts, in the order in which they are written. */
export const textKeys = ["presets", ...pathKeys, "unrestricted"] as const;

export type TextKey = (typeof textKeys)[number];

/** An entry of the list `paths`. */
export interface Entry extends Grant {
  readonly paths: readonly string[];
}

/** The content to add to a policy. */
export interface Content {
  readonly texts: ReadonlyMap<TextKey, readonly string[]>;
  readonly ports: ReadonlyMap<PortRuleName, readonly number[]>;
  readonly paths: readonly Entry[];
  /** Names of variables, and their values. */
  readonly variables: ReadonlyMap<string, string | { readonly env: string }>;
}

/** Settings of an extended policy that limit what can be granted. */
export interface Limits {
  /** It can't grant rights that are newer. */
  readonly abi: number;
  /** What it doesn't restrict, so that no grants are needed there. */
  readonly unrestricted: readonly string[];
}

/** The content to add to a policy, and the rules that it stands for. */
export interface Written {
  readonly content: Content;
  readonly rules: readonly Rule[];
}

/** Converts a draft. */
export function contentOf(draft: Draft, names: Names, { abi, unrestricted }: Limits): Written {
  const restricts = rightsOf(abi);
  const lists = new Map<TextKey, string[]>();
  const entries = new Map<string, { grant: Grant; paths: string[] }>();
  const ports = new Map<PortRuleName, readonly number[]>();
  const rules: Rule[] = [];
  const add = (key: TextKey, text: string) => lists.set(key, [...(lists.get(key) ?? []), text]);
  for (const { spec, program } of draft.presets) {
    add(
      "presets",
      program === undefined ? escaped(spec) : `executable=${names.writeProgram(program)}`,
    );
    rules.push(presetOf(spec, "/"));
  }
  const grants = unrestricted.includes("paths") ? [] : grantsOf(draft, restricts.fs);
  for (const [path, grant] of grants) {
    rules.push(ruleFor(grant, path));
    const name = names.write(path);
    if (typeof grant.access === "string" && !grant.refer && !grant.ifMissing) {
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

/** The rule for a grant. */
export function ruleFor({ access, refer, ifMissing }: Grant, path: string): FsRule {
  let rule =
    typeof access === "string" ? pathRule(pathRuleFor(access), path) : pathAccess(access, path);
  if (refer) rule = rule.withRefer();
  return ifMissing ? rule[missingModifiers[ifMissing].method]() : rule;
}
