/** From the words of the command line to what they ask for. */
import { Config } from "../config.ts";
import { LandlockError } from "../errors.ts";
import { landlock } from "../landlock.ts";
import type { FsRule, Rule } from "../rule.ts";
import {
  bindTcp,
  bindUdp,
  connectSendUdp,
  connectTcp,
  roDirs,
  roFiles,
  rwDirs,
  rwFiles,
} from "../rules.ts";
import type { EnvironmentRequest } from "./environment.ts";

/** What a command line asks for. */
export interface Request {
  readonly config: Config;
  readonly rules: readonly Rule[];
  readonly verbose: boolean;
  readonly environment: EnvironmentRequest;
  /** Descriptors that the command gets besides 0, 1 and 2. */
  readonly fds: readonly number[];
  readonly command: readonly string[];
}

type Version = Exclude<keyof typeof landlock, "config">;

const pathFlags = { "-ro": roDirs, "-rw": rwDirs, "-rofiles": roFiles, "-rwfiles": rwFiles };

const portFlags = {
  "-bindtcp": bindTcp,
  "-connecttcp": connectTcp,
  "-bindudp": bindUdp,
  "-connectudp": connectSendUdp,
};

const modifiers = {
  "+refer": (rule: FsRule) => rule.withRefer(),
  "+ioctl_dev": (rule: FsRule) => rule.withIoctlDev(),
  "+resolve_unix": (rule: FsRule) => rule.withResolveUnix(),
};

function has<Table extends object>(table: Table, key: string): key is keyof Table & string {
  return Object.hasOwn(table, key);
}

/**
 * Reads the words in front of the command.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` naming the word that is wrong
 */
export function parseFlags(words: readonly string[]): Request {
  const rules: Rule[] = [];
  const fds: number[] = [];
  const variables: number[] = [];
  let cleared = false;
  let version: Version = "V11";
  let strict = false;
  let logging = false;
  let verbose = false;
  let net = false;
  let scoped = false;
  let at = 0;
  const takeValues = () => {
    const start = at;
    while (at < words.length && !words[at]!.startsWith("-")) at++;
    return words.slice(start, at);
  };
  for (; at < words.length && words[at] !== "--";) {
    const word = words[at++]!;
    if (has(pathFlags, word)) rules.push(pathRule(word, takeValues()));
    else if (has(portFlags, word)) {
      net = true;
      rules.push(portFlags[word](...takeValues().map((port) => toPort(word, port))));
    } else if (has(landlock, `V${word.slice(1)}`)) version = `V${word.slice(1)}` as Version;
    else if (word === "-env") {
      const first = at;
      takeValues().forEach(checkVariable);
      for (let place = first; place < at; place++) variables.push(place);
    } else if (word === "-clearenv") cleared = true;
    else if (word === "-fd") fds.push(...takeValues().map(toFd));
    else if (word === "-scoped") scoped = true;
    else if (word === "-strict") strict = true;
    else if (word === "-l") logging = true;
    else if (word === "-v") verbose = true;
    else throw invalid(`${JSON.stringify(word)} is no option: see landlock-restrict -h`);
  }
  const command = words.slice(at + 1);
  if (command.length === 0) throw invalid("There is no command: put it behind --");
  const all = landlock[version];
  let config = new Config({ ...all, net: net ? all.net : [], scoped: scoped ? all.scoped : [] });
  if (logging) config = config.enableLoggingForSubprocesses();
  const environment = { cleared, words: variables };
  if (!strict) config = config.bestEffort();
  return { config, rules, verbose, environment, fds, command };
}

function pathRule(flag: keyof typeof pathFlags, values: readonly string[]): FsRule {
  let rule = pathFlags[flag](...values.filter((value) => !value.startsWith("+")));
  for (const word of values) {
    if (has(modifiers, word)) rule = modifiers[word](rule);
    else if (word.startsWith("+")) {
      throw invalid(
        `${JSON.stringify(word)} is no modifier of ${flag}: use ${Object.keys(modifiers).join(", ")}, or ./${word} for a path`,
      );
    }
  }
  return rule;
}

function toPort(flag: string, text: string): number {
  // Number() would take "", "0x50" and "8e1" too.
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw invalid(`${flag}: ${JSON.stringify(text)} is not a port: give an integer from 0 to 65535`);
}

function checkVariable(text: string): void {
  if (/^[^=]/.test(text)) return;
  throw invalid(`-env: ${JSON.stringify(text)} has no name: give NAME, or NAME=VALUE`);
}

function toFd(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw invalid(`-fd: ${JSON.stringify(text)} is not a descriptor: give a number such as 3`);
}

function invalid(message: string): LandlockError {
  return new LandlockError("ERR_LANDLOCK_INVALID_RULE", message);
}
