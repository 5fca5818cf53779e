/** Parses the command line. */
import type { Config } from "../sandbox/config.ts";
import { errorFor, LandlockError, quoted } from "../errors/errors.ts";
import { newestAbi, type NetRight } from "../kernel/abi.ts";
import { ownPolicy } from "../policy/owner.ts";
import { readFile, type Read } from "../policy/read.ts";
import { handledPart } from "../policy/handled.ts";
import { presetOf } from "../presets/presets.ts";
import type { FsRule, Rule } from "../sandbox/rules.ts";
import { pathAccess, pathRule, portRule } from "../sandbox/rules.ts";
import { listOption, modifiers, nameFor, pathRules, portRules } from "../vocabulary.ts";
import { closest } from "../errors/closest.ts";
import { chooseConfig } from "./choose.ts";
import type { EnvironmentRequest } from "./prepare-exec.ts";
import { invalid } from "./start.ts";
import { commands, optionNames } from "./usage.ts";

/** A parsed command line. */
export interface Request {
  readonly config: Config;
  readonly rules: readonly Rule[];
  readonly verbose: boolean;
  readonly environment: EnvironmentRequest;
  /** Descriptors that the command inherits besides 0, 1 and 2. */
  readonly fds: readonly number[];
  /** Whether to print the plan as JSON. */
  readonly json: boolean;
  /** The policy that `-policy` names, for messages. */
  readonly policy?: Read;
  /** Whether `-strict` was given. */
  readonly strict: boolean;
  /** Empty if there is none. */
  readonly command: readonly string[];
}

const switches = ["-scoped", "-strict", "-allow-none", "-clearenv", "-l", "-v", "--json"];

/**
 * Parses the words before the command.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_USAGE` naming the invalid word
 */
export function parseFlags(words: readonly string[]): Request {
  try {
    return requestIn(words);
  } catch (error) {
    throw error instanceof LandlockError ? errorFor(error, "option") : error;
  }
}

function requestIn(words: readonly string[]): Request {
  const rules: Rule[] = [];
  const presets: Rule[] = [];
  const given = new Set<string>();
  const limited = new Set<NetRight>();
  const free = new Set<NetRight>();
  let file: string | undefined;
  let abi: number | undefined;
  const fds: number[] = [];
  const variables: number[] = [];
  let at = 0;
  const takeValues = () => {
    const start = at;
    while (at < words.length && !words[at]!.startsWith("-")) at++;
    return words.slice(start, at);
  };
  const takeTexts = () => takeValues().map(checkText);
  for (; at < words.length && words[at] !== "--";) {
    const word = words[at++]!;
    const onPaths = nameFor(pathRules, "option", word);
    const onPorts = nameFor(portRules, "option", word);
    if (onPaths) {
      given.add("paths");
      rules.push(modifiedRule(word, takeTexts(), (...paths) => pathRule(onPaths, ...paths)));
    } else if (word === listOption) {
      given.add("paths");
      rules.push(modifiedRule(word, takeTexts(), (...paths) => pathAccess(["read_dir"], ...paths)));
    } else if (onPorts) {
      given.add("net");
      const { right } = portRules[onPorts];
      const ports = takeTexts();
      (ports.includes("any") ? free : limited).add(right);
      if (free.has(right) && (limited.has(right) || ports.length > 1)) {
        throw invalid(
          `${word}: any means every port, but other ports are given too: remove one of them`,
        );
      }
      if (!free.has(right)) {
        rules.push(portRule(onPorts, ...ports.map((port) => toPort(word, port))));
      }
    } else if (word === "-env") {
      const first = at;
      takeValues().forEach(checkVariable);
      for (let place = first; place < at; place++) variables.push(place);
    } else if (word === "-fd") fds.push(...takeTexts().map(toFd));
    else if (word === "-policy") file = policyFile(takeTexts(), file);
    else if (word === "-preset") presets.push(...takeTexts().map((spec) => presetOf(spec)));
    else if (/^-[1-9]\d?$/.test(word) && Number(word.slice(1)) <= newestAbi) {
      abi = Number(word.slice(1));
    } else if (switches.includes(word)) given.add(word);
    else throw unknownOption(words, at - 1);
  }
  if (given.has("-strict") && given.has("-allow-none")) {
    throw invalid("-strict and -allow-none contradict each other: give one of the two");
  }
  const choice = {
    abi,
    strict: given.has("-strict"),
    allowNone: given.has("-allow-none"),
    logging: given.has("-l"),
    paths: given.has("paths"),
    net: given.has("net"),
    limited,
    free,
    scoped: given.has("-scoped"),
  };
  const policy = file === undefined ? undefined : readFile(file, { abi, ifForeign: ownPolicy });
  const config = chooseConfig(choice, policy?.config);
  const fit = (all: readonly Rule[]) => all.flatMap((rule) => handledPart(rule, config));
  // The policy may have rules for a right that an option no longer restricts.
  const fromPolicy = policy && free.size > 0 ? fit(policy.rules) : (policy?.rules ?? []);
  return {
    config,
    rules: [...fromPolicy, ...rules, ...fit(presets)],
    verbose: given.has("-v"),
    json: given.has("--json"),
    ...(policy ? { policy } : {}),
    strict: given.has("-strict"),
    environment: { cleared: given.has("-clearenv"), words: variables },
    fds,
    command: words.slice(at + 1),
  };
}

/** Suggests a similar option, a command of ours, or `--` before the command. */
function unknownOption(words: readonly string[], at: number): LandlockError {
  const word = words[at]!;
  const [name, value] = word.split(/=(.*)/s) as [string, string?];
  const near = closest(name, word.startsWith("-") ? optionNames : at === 0 ? commands : []);
  const fix =
    near !== undefined
      ? `did you mean ${[near, ...(value ? [value] : [])].join(" ")}?`
      : word.startsWith("-") || words.includes("--")
        ? "see landlock-restrict -h"
        : `to run it, put -- before it`;
  return invalid(`${JSON.stringify(word)} is not an option: ${fix}`);
}

function policyFile(files: readonly string[], before: string | undefined): string {
  const [file, ...more] = files;
  if (file !== undefined && more.length === 0 && before === undefined) return file;
  throw invalid("-policy takes one file, once: put the rules into one, or give them as options");
}

function modifiedRule(
  option: string,
  values: readonly string[],
  make: (...paths: string[]) => FsRule,
): FsRule {
  let rule = make(...values.filter((value) => !value.startsWith("+")));
  for (const word of values) {
    const modifier = nameFor(modifiers, "option", word);
    if (modifier) rule = rule[modifiers[modifier].method]();
    else if (word.startsWith("+")) {
      const known = Object.values(modifiers).map(({ option }) => option);
      const near = closest(word, known);
      const fix = near ? `did you mean ${JSON.stringify(near)}? Or` : `use ${known.join(", ")}, or`;
      throw invalid(
        `${JSON.stringify(word)} is not a modifier of ${option}: ${fix} write ./${word} for a path`,
      );
    }
  }
  return rule;
}

function toPort(flag: string, text: string): number {
  // Number() would also accept "", "0x50" and "8e1".
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw invalid(
    `${flag}: ${JSON.stringify(text)} is not a port: give an integer from 0 to 65535, or any`,
  );
}

/** Rejects words that rules and policies can't hold, because they must be valid text. */
function checkText(word: string): string {
  if (word.isWellFormed()) return word;
  throw invalid(`${quoted(word)} is not UTF-8: give the file another name`);
}

function checkVariable(text: string): void {
  if (/^[^=]/.test(text)) return;
  throw invalid(`-env: ${JSON.stringify(text)} has no name: give NAME, or NAME=VALUE`);
}

/** Parses the number of a descriptor. */
export function toFd(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw invalid(`-fd: ${JSON.stringify(text)} is not a descriptor: give a number such as 3`);
}
