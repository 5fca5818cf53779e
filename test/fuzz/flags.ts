/** Fuzzes the command line of `landlock-restrict`: accepted words grant exactly what they name. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseFlags, type Request } from "../../src/cli/flags.ts";
import { dryRun } from "../../src/cli/plan.ts";
import { screenFor } from "../../src/terminal/screen.ts";
import { rightsOf } from "../../src/kernel/abi.ts";
import { mutateWords } from "./mutate.ts";
import { shrinkList } from "./loop.ts";
import {
  compareGrants,
  grant,
  grantsOf,
  must,
  presetRights,
  refusal,
  type Target,
} from "./target.ts";

type Words = readonly string[];

const kept = join(import.meta.dir, "seeds/flags.json");

const usual: readonly string[] = [
  "-ro /usr /bin -rw +refer /tmp -- ls -l -- /",
  "-rofiles +ignore_missing /etc/passwd -rwfiles +ioctl_dev +resolve_unix /dev/null -- cat",
  "-bindtcp 80 -connecttcp any -bindudp any -policy policy.json -- true",
  "-bindtcp 80 443 -connecttcp -bindudp 0 -connectudp 53 -scoped -- true",
  "-6 -strict -clearenv -env PATH A=b -fd 3 4 -l -v -- env",
  "-policy policy.json -ro /usr --json",
  "-policy free.json -bindtcp 1 -scoped -11",
  "-preset dns=ports timezone cwd=write executable=sh -connecttcp 1",
];

const pathFlags: Readonly<Record<string, string>> = {
  "-ro": "ro",
  "-rw": "rw",
  "-rofiles": "roFiles",
  "-rwfiles": "rwFiles",
};

const portFlags: Readonly<Record<string, string>> = {
  "-bindtcp": "bind_tcp",
  "-connecttcp": "connect_tcp",
  "-bindudp": "bind_udp",
  "-connectudp": "connect_send_udp",
};

const skip = "ignore_missing";

/** Each option before the command, with its values. */
function optionsOf(all: Words): { name: string; values: Words; at: number }[] {
  const words = all.includes("--") ? all.slice(0, all.indexOf("--")) : all;
  const starts = words.flatMap((word, i) => (word.startsWith("-") ? [i] : []));
  return starts.map((at, i) => {
    const values = words.slice(at + 1, starts[i + 1] ?? words.length);
    return { name: words[at]!, values, at };
  });
}

/** What accepted words mean, derived from each option on its own. */
function checkMeaning(words: Words, request: Request): void {
  const dashes = words.indexOf("--");
  const options = optionsOf(words);
  const command = dashes < 0 ? [] : words.slice(dashes + 1);
  must(Bun.deepEquals(request.command, command), "the command is what follows --");
  const named = new Set<string>();
  for (const { name, values } of options) {
    const modifiers = values.filter((value) => value.startsWith("+"));
    const extra = modifiers
      .map((word) => word.slice(1))
      .filter((word) => !word.endsWith("_missing"));
    const paths = values.filter((value) => !value.startsWith("+"));
    if (pathFlags[name] && modifiers.includes(`+${skip}`))
      must(
        request.rules.some(
          (rule) =>
            rule.kind === "fs" &&
            rule.onMissing === "skip" &&
            paths.every((path) => rule.paths.includes(path)),
        ),
        "+ignore_missing skips the paths of its option",
      );
    for (const path of pathFlags[name] ? paths : [])
      for (const right of [...presetRights[pathFlags[name]!]!, ...extra])
        named.add(grant(path, right));
    if (portFlags[name] && !values.includes("any"))
      for (const port of values) named.add(grant(Number(port), portFlags[name]!));
  }
  const has = (name: string) => options.some((option) => option.name === name);
  const valuesOf = (name: string) =>
    options.flatMap((option) => (option.name === name ? option.values : []));
  const fixed = !has("-policy") && valuesOf("-preset").length === 0;
  compareGrants(grantsOf(request.rules), named, fixed);
  must(
    Bun.deepEquals(request.fds, valuesOf("-fd").map(Number)),
    "the descriptors are those of -fd",
  );
  const variables = options.flatMap(({ name, values, at }) =>
    name === "-env" ? values.map((_, i) => at + 1 + i) : [],
  );
  must(Bun.deepEquals(request.environment.words, variables), "the variables are those of -env");
  must(request.environment.cleared === has("-clearenv"), "-clearenv");
  const { config } = request;
  if (!has("-policy")) {
    const abi = Number(options.findLast(({ name }) => /^-\d+$/.test(name))?.name.slice(1) ?? 11);
    const all = rightsOf(abi);
    const about = options.filter(({ name }) => Object.hasOwn(portFlags, name));
    const free = about.flatMap(({ name, values }) =>
      values.includes("any") ? [portFlags[name]!] : [],
    );
    const net = about.length > 0 ? all.net.filter((right) => !free.includes(right)) : [];
    must(Bun.deepEquals(config.fs, all.fs), "paths are restricted, as far as the ABI can");
    must(Bun.deepEquals(config.net, net), "the network is where an option is about it");
    must(
      Bun.deepEquals(config.scoped, has("-scoped") ? all.scoped : []),
      "scopes are with -scoped",
    );
    must((config.mode === "strict") === has("-strict"), "-strict");
  } else if (has("-strict")) must(config.mode === "strict", "-strict is stricter than a policy");
}

/** A plan for people has one line for each thing, whatever paths are called. */
function checkText(text: string, json: boolean): void {
  if (json) return void JSON.parse(text);
  const line =
    /^(enforcement|denied|left alone|granted|unenforced|ungranted|rewritable|not covered): \P{Cc}*$/u;
  const strange = text.split("\n").find((one) => !line.test(one));
  must(strange === undefined, `a line of the plan is ${JSON.stringify(strange)}`);
}

/**
 * The target.
 *
 * @param folder An empty folder for this target's policies
 */
export function flags(folder: string): Target<Words> {
  writeFileSync(join(folder, "policy.json"), '{ "ro": ["/usr"], "bindTcp": [80] }');
  const free = '{ "bestEffort": true, "unrestricted": ["paths", "net"] }';
  writeFileSync(join(folder, "free.json"), free);
  const files = ["policy.json", "free.json", "none.json"].map((name) => join(folder, name));
  const known = [
    ...new Set([...usual.join(" ").split(" "), ...files]),
    ..."-1 -12 -0 -h -x +x -- 0x50 8e1 99999 65536 -preset dns bun modules=/".split(" "),
  ];
  const inFolder = (word: string) =>
    /^(policy|free)\.json$/.test(word) ? join(folder, word) : word;
  const check = (words: Words) => {
    let request;
    try {
      request = parseFlags(words);
    } catch (error) {
      return refusal(error);
    }
    checkMeaning(words, request);
    const names = new Set(optionsOf(words).map(({ name }) => name));
    try {
      checkText(dryRun(request, screenFor(undefined, {})).text, request.json);
      return `accepted ${[...names].sort()}`;
    } catch (error) {
      return `planned ${refusal(error)}`;
    }
  };
  const found = JSON.parse(readFileSync(kept, "utf8")) as Words[];
  return {
    seeds: [...usual.map((line) => line.split(" ")), ...found].map((words) => words.map(inFolder)),
    mutate: (random, inputs) => mutateWords(random, random.one(inputs), random.one(inputs), known),
    check,
    shrink: shrinkList,
  };
}
