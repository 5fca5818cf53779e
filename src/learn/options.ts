/** Turns command line options into an equal policy. */
import { resolve } from "node:path";
import { LandlockError } from "../errors/errors.ts";
import { ordered } from "../advise/fold.ts";
import type { Grant } from "../advise/grant.ts";
import { surroundings } from "../advise/surroundings.ts";
import { currentDirectory } from "../kernel/names.ts";
import { presetOf } from "../presets/presets.ts";
import type { Config } from "../sandbox/config.ts";
import type { Rule } from "../sandbox/rules.ts";
import { pathRule, portRule } from "../sandbox/rules.ts";
import {
  keysOf,
  listOption,
  missingModifiers,
  nameFor,
  pathRules,
  portRules,
  rightModifiers,
  type PathRuleName,
  type PortRuleName,
} from "../vocabulary.ts";
import { ruleFor, type Content, type Entry, type TextKey, type Written } from "./content.ts";
import { existingPolicy, type Existing } from "./existing.ts";
import { escaped, Names } from "./names.ts";
import { policyText } from "./toml.ts";
import { requireMeaning } from "./verify.ts";
import { writeWhole } from "./write.ts";

/** An option, and the words that follow it. */
type Group = readonly [option: string, ...values: string[]];

/** A policy to which options will be written. */
interface OptionsPolicy {
  /**
   * Writes it.
   *
   * @param words Options and their values
   * @param config What they restrict
   * @param program The name of the command
   * @returns The words that a policy can't express
   * @throws {LandlockError} `ERR_LANDLOCK_PATH` if it can't be written
   */
  write(words: readonly string[], config: Config, program: string): readonly string[];
}

/**
 * Opens the folder of a new policy before the command runs.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if the policy exists or can't be written
 */
export function optionsPolicy(output: string): OptionsPolicy {
  const existing = existingPolicy(output, false);
  const names = new Names({ base: existing.base, ...surroundings(), known: {} });
  return {
    write(words, config, program) {
      const groups = groupsOf(words);
      const said = groups.filter(isSaid);
      write(contentOf(said, config, names), existing, program);
      return groups.filter((group) => !isSaid(group) && group[0] !== "-scoped").flat();
    },
  };
}

function write(written: Written, { path, folder }: Existing, program: string): void {
  const header = [
    `What ${program} needs, as landlock-restrict explain --until-it-works found it. Read it before you rely on it:`,
    "another run may need more, and learn -merge adds that.",
    "Best effort: an older kernel restricts what it can. Without that line it fails there instead.",
  ];
  try {
    const text = policyText(header, written.content, []);
    requireMeaning(text, path, written, undefined);
    writeWhole(path, text, undefined, folder);
  } finally {
    folder.close();
  }
}

function groupsOf(words: readonly string[]): Group[] {
  const groups: [string, ...string[]][] = [];
  for (const word of words) {
    if (word.startsWith("-")) groups.push([word]);
    else groups.at(-1)?.push(word);
  }
  return groups;
}

function isSaid([option]: Group): boolean {
  const tables = [pathRules, portRules];
  return (
    option === "-preset" ||
    option === listOption ||
    tables.some((table) => nameFor(table, "option", option))
  );
}

function contentOf(groups: readonly Group[], config: Config, names: Names): Written {
  const texts = new Map<TextKey, string[]>();
  const ports = new Map<PortRuleName, number[]>();
  const paths: Entry[] = [];
  const rules: Rule[] = [];
  const add = (key: TextKey, ...values: string[]) =>
    texts.set(key, [...new Set([...(texts.get(key) ?? []), ...values])]);
  for (const [option, ...values] of groups) {
    const path = nameFor(pathRules, "option", option);
    const port = nameFor(portRules, "option", option);
    if (path || option === listOption) {
      const grant = grantFor(path, values);
      const all = values.filter((value) => !value.startsWith("+"));
      const absolute = all.map((value) => resolve(currentDirectory(), value));
      const written = absolute.map((one) => names.write(one));
      rules.push(...absolute.map((one) => ruleFor(grant, one)));
      const { access, ...more } = grant;
      if (typeof access === "string" && keysOf(more).length === 0) add(access, ...written);
      else if (written.length > 0) paths.push({ ...grant, paths: written });
    } else if (port) {
      const numbers = values.filter((value) => value !== "any").map(Number);
      if (numbers.length === 0) continue;
      ports.set(port, [...new Set([...(ports.get(port) ?? []), ...numbers])]);
      rules.push(portRule(port, ...numbers));
    } else {
      rules.push(...values.map((spec) => presetOf(spec)));
      add("presets", ...values.map((spec) => presetText(spec, names)));
    }
  }
  const free = unrestrictedBy(config);
  if (free.length > 0) add("unrestricted", ...free);
  const content: Content = { texts, ports, paths, variables: names.variables };
  return { content, rules };
}

function presetText(spec: string, names: Names): string {
  const [, program] = /^executable=(.*\/.*)$/s.exec(spec) ?? [];
  if (program === undefined) return escaped(spec);
  return `executable=${names.writeProgram(resolve(currentDirectory(), program))}`;
}

function grantFor(name: PathRuleName | undefined, values: readonly string[]): Grant {
  const has = (word: string) => values.includes(word);
  const missing = keysOf(missingModifiers).findLast((word) => has(missingModifiers[word].option));
  const rights = keysOf(rightModifiers).filter((right) => has(rightModifiers[right].option));
  const more: Pick<Grant, "ifMissing"> = missing ? { ifMissing: missing } : {};
  if (name === undefined) return { access: ["read_dir"], ...more };
  const { key } = pathRules[name];
  if (rights.length === 0) return { access: key, ...more };
  if (rights.join() === "refer") return { access: key, refer: true, ...more };
  return { access: ordered(new Set([...pathRule(name, "/").access, ...rights])), ...more };
}

/** What the policy must leave unrestricted, because the options don't restrict it. */
function unrestrictedBy({ fs, net, scoped }: Config): string[] {
  if (fs.length === 0) {
    throw new LandlockError("ERR_LANDLOCK_USAGE", "The options restrict no paths");
  }
  const free = keysOf(portRules).filter((name) => !net.includes(portRules[name].right));
  const ports = net.length === 0 ? ["net"] : free;
  return [...ports, ...(scoped.length === 0 ? ["scoped"] : [])];
}
