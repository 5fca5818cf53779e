/** Rules that would help, spelled as code, as flags of `landlock-restrict` and as a policy's lines. */
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
  missingModifiers,
  rightModifiers,
  type PathRuleName,
} from "../vocabulary.ts";

/** A way to allow what was denied. Frozen plain data. */
export interface Fix {
  /**
   * The rule, as the verbs take it. Not there where a preset has to read files for it that this
   * sandbox denies: outside of it, `code` gives the rule.
   */
  readonly rule?: Rule;
  /** TypeScript, as arguments of a verb: `roFiles("/etc/hosts"), connectTcp(443)`. */
  readonly code: string;
  /**
   * Words for `landlock-restrict`, which has no flag for `pathAccess()`: there the nearest ones,
   * which grant more; none where those would open a whole home or the whole machine.
   */
  readonly flags: readonly string[];
  /** Lines of a policy in TOML. */
  readonly policy: string;
}

/** The rights that `roDirs()` and the like grant on a directory. */
export const accessBy = (verb: PathRuleName): readonly FsRight[] => pathRule(verb, "/").access;
/** `roDirs()` and the like, the one that grants least first. */
export const pathVerbs = keysOf(pathRules).sort((a, b) => accessBy(a).length - accessBy(b).length);

type Modified = keyof typeof rightModifiers;

/** What a rule does if a path does not exist; default: it fails. */
type IfMissing = "skip" | "create";

/** One rule to be spelled. */
export type Piece =
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
      /** The four's nearest one, for the command line. */
      readonly nearest: Pick<Piece & { kind: "verb" }, "verb" | "with"> | undefined;
      readonly ifMissing?: IfMissing;
    }
  | { readonly kind: "port"; readonly right: NetRight; readonly ports: readonly number[] }
  /** As `presetOf()` takes it: `"dns=ports"`. */
  | { readonly kind: "preset"; readonly spec: string };

/** The rights on paths that a rule grants. */
export function accessOf(piece: Piece): readonly FsRight[] {
  if (piece.kind === "exact") return piece.access;
  return piece.kind === "verb" ? [...accessBy(piece.verb), ...piece.with] : [];
}

/** Spells a list of rules: together they are one way to allow something. */
export function fixOf(pieces: readonly Piece[]): Fix {
  const rules = pieces.map(ruleOf);
  const known = rules.filter((rule) => rule !== undefined);
  const [only] = known;
  return Object.freeze({
    ...(known.length < rules.length
      ? {}
      : { rule: rules.length === 1 ? only! : composite(...known) }),
    code: pieces.map(codeOf).join(", "),
    flags: Object.freeze(pieces.flatMap(flagsOf)),
    policy: policyOf(pieces),
  });
}

/** Two ways to allow two things, as one way to allow both. Their policies share no key. */
export function bothOf(one: Fix, other: Fix): Fix {
  const known = one.rule !== undefined && other.rule !== undefined;
  return Object.freeze({
    ...(known ? { rule: composite(one.rule!, other.rule!) } : {}),
    code: `${one.code}, ${other.code}`,
    flags: Object.freeze([...one.flags, ...other.flags]),
    policy: `${one.policy}\n${other.policy}`,
  });
}

function ruleOf(piece: Piece): Rule | undefined {
  if (piece.kind === "port") return portRule(portRuleFor(piece.right), ...piece.ports);
  if (piece.kind === "preset") return presetRule(piece.spec);
  const rule =
    piece.kind === "exact"
      ? pathAccess(piece.access, ...piece.paths)
      : piece.with.reduce(
          (one, right) => one[rightModifiers[right].method](),
          pathRule(piece.verb, ...piece.paths),
        );
  return piece.ifMissing ? rule[missingModifiers[piece.ifMissing].method]() : rule;
}

/** A preset's rule, unless it would have to look into files that cannot be read in here. */
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

function codeOf(piece: Piece): string {
  if (piece.kind === "port") return `${portRuleFor(piece.right)}(${piece.ports.join(", ")})`;
  if (piece.kind === "preset") return `presets.${presetCode(piece.spec)}`;
  const paths = piece.paths.map(quoted).join(", ");
  const missing = piece.ifMissing ? `.${missingModifiers[piece.ifMissing].method}()` : "";
  if (piece.kind === "exact") return `pathAccess(${listOf(piece.access)}, ${paths})${missing}`;
  return `${piece.verb}(${paths})${piece.with.map((right) => `.${rightModifiers[right].method}()`).join("")}${missing}`;
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

function flagsOf(piece: Piece): string[] {
  if (piece.kind === "port") {
    return [portRules[portRuleFor(piece.right)].option, ...piece.ports.map(String)];
  }
  if (piece.kind === "preset") return ["-preset", piece.spec];
  const near = piece.kind === "verb" ? piece : piece.nearest;
  if (near === undefined) return [];
  const missing = piece.ifMissing ? [missingModifiers[piece.ifMissing].option] : [];
  return [
    pathRules[near.verb].option,
    ...[...near.with.map((right) => `+${right}`), ...missing],
    ...piece.paths,
  ];
}

/** In policies, a `$` starts a variable. */
function textsOf(words: readonly string[]): string {
  return listOf(words.map((word) => word.replaceAll("$", "$$$$")));
}

/** Each key stands once, as TOML wants it. */
function policyOf(pieces: readonly Piece[]): string {
  const keys = new Map<string, string[]>();
  for (const piece of pieces) {
    const [key, items] = policyItems(piece);
    keys.set(key, [...(keys.get(key) ?? []), items]);
  }
  return [...keys].map(([key, items]) => `${key} = [${items.join(", ")}]`).join("\n");
}

function policyItems(piece: Piece): [key: string, items: string] {
  if (piece.kind === "port") return [portRuleFor(piece.right), piece.ports.join(", ")];
  if (piece.kind === "preset") return ["presets", textsOf([piece.spec]).slice(1, -1)];
  const paths = textsOf(piece.paths);
  const { ifMissing } = piece;
  const isPlain = piece.kind === "verb" && piece.with.length === 0;
  if (isPlain && !ifMissing) return [pathRules[piece.verb].key, paths.slice(1, -1)];
  const isRefer = piece.kind === "verb" && piece.with.join() === "refer";
  const access =
    isPlain || isRefer ? tomlString(pathRules[piece.verb].key) : listOf(accessOf(piece));
  const more = `${isRefer ? ", refer = true" : ""}${ifMissing ? `, ifMissing = ${tomlString(ifMissing)}` : ""}`;
  return ["paths", `{ access = ${access}, paths = ${paths}${more} }`];
}
