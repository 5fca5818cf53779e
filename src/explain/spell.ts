/** Writes rules as code, as flags of `landlock-restrict` and as lines of a policy. */
import { closeSync, openSync, statSync } from "node:fs";
import { quoted, tomlString } from "../errors/errors.ts";
import type { FsRight, NetRight } from "../kernel/abi.ts";
import { presetOf } from "../presets/presets.ts";
import { flatten } from "../sandbox/plan.ts";
import type { Rule } from "../sandbox/rules.ts";
import { composite, pathAccess, pathRule, portRule } from "../sandbox/rules.ts";
import {
  keysOf,
  pathRules,
  portRuleFor,
  portRules,
  presetNames,
  listOption,
  missingModifiers,
  rightModifiers,
  type PathRuleName,
} from "../vocabulary.ts";

/** A way to allow what was denied. Frozen plain data. */
export interface Fix {
  /**
   * The rule, for a Config's methods. Missing if a preset would have to read files that this
   * sandbox denies; then `code` makes the rule outside of the sandbox.
   */
  readonly rule?: Rule;
  /** TypeScript, as arguments of a Config's method: `roFiles("/etc/hosts"), connectTcp(443)`. */
  readonly code: string;
  /**
   * Words for `landlock-restrict`, which has no flag for most of `pathAccess()`. They are the closest
   * ones, which grant more, or empty if those would grant a whole home or the whole machine.
   */
  readonly flags: readonly string[];
  /** Lines of a policy in TOML. */
  readonly policy: string;
}

/** The rights that functions such as `roDirs()` grant on a directory. */
export const accessBy = (verb: PathRuleName): readonly FsRight[] => pathRule(verb, "/").access;
/** The functions such as `roDirs()`, starting with the one that grants least. */
export const pathVerbs = keysOf(pathRules).sort((a, b) => accessBy(a).length - accessBy(b).length);

type Modified = keyof typeof rightModifiers;

/** What a rule does if a path doesn't exist; default: it fails. */
type IfMissing = "skip" | "create";

/** A rule as data, before it is written. */
export type RuleSpec =
  | {
      readonly kind: "verb";
      readonly verb: PathRuleName;
      readonly with: readonly Modified[];
      readonly paths: readonly string[];
      readonly ifMissing?: IfMissing;
    }
  | {
      readonly kind: "exact";
      readonly access: readonly FsRight[];
      readonly paths: readonly string[];
      /** The closest path option for the command line, if there is one. */
      readonly nearest: Pick<RuleSpec & { kind: "verb" }, "verb" | "with"> | undefined;
      readonly ifMissing?: IfMissing;
    }
  | { readonly kind: "port"; readonly right: NetRight; readonly ports: readonly number[] }
  /** In the form of `presetOf()`: `"dns=ports"`. */
  | { readonly kind: "preset"; readonly spec: string };

/** The rights on paths that a rule grants. */
export function accessOf(ruleSpec: RuleSpec): readonly FsRight[] {
  if (ruleSpec.kind === "exact") return ruleSpec.access;
  return ruleSpec.kind === "verb" ? [...accessBy(ruleSpec.verb), ...ruleSpec.with] : [];
}

/** Writes a list of rules, which together allow something. */
export function fixOf(ruleSpecs: readonly RuleSpec[]): Fix {
  const rules = ruleSpecs.map(ruleOf);
  const known = rules.filter((rule) => rule !== undefined);
  const [only] = known;
  return Object.freeze({
    ...(known.length < rules.length
      ? {}
      : { rule: rules.length === 1 ? only! : composite(...known) }),
    code: ruleSpecs.map(codeOf).join(", "),
    flags: Object.freeze(ruleSpecs.flatMap(flagsOf)),
    policy: policyOf(ruleSpecs),
  });
}

/** Combines two fixes to allow both things. Their policies must not share a key. */
export function bothOf(one: Fix, other: Fix): Fix {
  const known = one.rule !== undefined && other.rule !== undefined;
  return Object.freeze({
    ...(known ? { rule: composite(one.rule!, other.rule!) } : {}),
    code: `${one.code}, ${other.code}`,
    flags: Object.freeze([...one.flags, ...other.flags]),
    policy: `${one.policy}\n${other.policy}`,
  });
}

function ruleOf(ruleSpec: RuleSpec): Rule | undefined {
  if (ruleSpec.kind === "port") return portRule(portRuleFor(ruleSpec.right), ...ruleSpec.ports);
  if (ruleSpec.kind === "preset") return presetRule(ruleSpec.spec);
  const rule =
    ruleSpec.kind === "exact"
      ? pathAccess(ruleSpec.access, ...ruleSpec.paths)
      : ruleSpec.with.reduce(
          (one, right) => one[rightModifiers[right].method](),
          pathRule(ruleSpec.verb, ...ruleSpec.paths),
        );
  return ruleSpec.ifMissing ? rule[missingModifiers[ruleSpec.ifMissing].method]() : rule;
}

/** A preset's rule, unless it would have to read files that this sandbox denies. */
function presetRule(spec: string): Rule | undefined {
  let rule: Rule;
  try {
    rule = presetOf(spec);
  } catch {
    return undefined;
  }
  if (!/^(dns|executable|modules)\b/.test(spec)) return rule;
  const paths = flatten([rule], "explain()").flatMap((one) => (one.kind === "fs" ? one.paths : []));
  return paths.every(isReadable) ? rule : undefined;
}

function isReadable(path: string): boolean {
  try {
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return true;
    closeSync(openSync(path, "r"));
    return true;
  } catch {
    return false;
  }
}

function codeOf(ruleSpec: RuleSpec): string {
  if (ruleSpec.kind === "port")
    return `${portRuleFor(ruleSpec.right)}(${ruleSpec.ports.join(", ")})`;
  if (ruleSpec.kind === "preset") return `presets.${presetCode(ruleSpec.spec)}`;
  const paths = ruleSpec.paths.map(quoted).join(", ");
  const missing = ruleSpec.ifMissing ? `.${missingModifiers[ruleSpec.ifMissing].method}()` : "";
  if (ruleSpec.kind === "exact")
    return `pathAccess(${listOf(ruleSpec.access)}, ${paths})${missing}`;
  return `${ruleSpec.verb}(${paths})${ruleSpec.with.map((right) => `.${rightModifiers[right].method}()`).join("")}${missing}`;
}

function presetCode(spec: string): string {
  const [name, ...value] = spec.split("=");
  if (value.length === 0) return `${name}()`;
  const known = presetNames[name as keyof typeof presetNames];
  if ("setting" in known) return `${name}({ ${known.setting}: true })`;
  return `${name}(${quoted(value.join("="))})`;
}

function listOf(words: readonly string[]): string {
  return `[${words.map(tomlString).join(", ")}]`;
}

function flagsOf(ruleSpec: RuleSpec): string[] {
  if (ruleSpec.kind === "port") {
    return [portRules[portRuleFor(ruleSpec.right)].option, ...ruleSpec.ports.map(String)];
  }
  if (ruleSpec.kind === "preset") return ["-preset", ruleSpec.spec];
  const missing = ruleSpec.ifMissing ? [missingModifiers[ruleSpec.ifMissing].option] : [];
  if (ruleSpec.kind === "exact" && ruleSpec.access.join() === "read_dir") {
    return [listOption, ...missing, ...ruleSpec.paths];
  }
  const near = ruleSpec.kind === "verb" ? ruleSpec : ruleSpec.nearest;
  if (near === undefined) return [];
  return [
    pathRules[near.verb].option,
    ...[...near.with.map((right) => `+${right}`), ...missing],
    ...ruleSpec.paths,
  ];
}

/** Escapes `$`, which starts a variable in policies. */
function textsOf(words: readonly string[]): string {
  return listOf(words.map((word) => word.replaceAll("$", "$$$$")));
}

/** TOML allows each key only once. */
function policyOf(ruleSpecs: readonly RuleSpec[]): string {
  const keys = new Map<string, string[]>();
  for (const ruleSpec of ruleSpecs) {
    const [key, items] = policyItems(ruleSpec);
    keys.set(key, [...(keys.get(key) ?? []), items]);
  }
  return [...keys].map(([key, items]) => `${key} = [${items.join(", ")}]`).join("\n");
}

function policyItems(ruleSpec: RuleSpec): [key: string, items: string] {
  if (ruleSpec.kind === "port") return [portRuleFor(ruleSpec.right), ruleSpec.ports.join(", ")];
  if (ruleSpec.kind === "preset") return ["presets", textsOf([ruleSpec.spec]).slice(1, -1)];
  const paths = textsOf(ruleSpec.paths);
  const { ifMissing } = ruleSpec;
  const isPlain = ruleSpec.kind === "verb" && ruleSpec.with.length === 0;
  if (isPlain && !ifMissing) return [pathRules[ruleSpec.verb].key, paths.slice(1, -1)];
  const isRefer = ruleSpec.kind === "verb" && ruleSpec.with.join() === "refer";
  const access =
    isPlain || isRefer ? tomlString(pathRules[ruleSpec.verb].key) : listOf(accessOf(ruleSpec));
  const more = `${isRefer ? ", refer = true" : ""}${ifMissing ? `, ifMissing = ${tomlString(ifMissing)}` : ""}`;
  return ["paths", `{ access = ${access}, paths = ${paths}${more} }`];
}
