/** Policy files of all formats: an accepted file means exactly what its text says. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadPolicy, parsePolicy, planFor, type Policy } from "../../src/index.ts";
import { rightsOf } from "../../src/kernel/abi.ts";
import type { Random } from "../random.ts";
import { mutateText, mutateValue } from "./mutate.ts";
import { meaningOf } from "./meaning.ts";
import { shrinkText } from "./loop.ts";
import { compareGrants, grantsOf, must, refusal, type Target } from "./target.ts";

/** A policy file. */
export interface PolicyFile {
  readonly name: string;
  readonly text: string;
}

const samples = join(import.meta.dir, "../policy/samples");
const kept = join(import.meta.dir, "seeds/policies.json");

const known = [
  ..."abi bestEffort atLeast variables env ro rw roFiles rwFiles paths access refer ifMissing".split(
    " ",
  ),
  ..."bindTcp connectTcp bindUdp connectSendUdp presets unrestricted net scoped $schema".split(" "),
  ..."variable name literal ruleset handledAccessFs handled_access_net pathBeneath".split(" "),
  ..."path_beneath parent allowedAccess allowed_access netPort net_port port landlock".split(" "),
  ...rightsOf(11).fs,
  ...rightsOf(11).net,
  ...rightsOf(11).scoped,
  ..."abi.all abi.read_execute abi.read_write fail skip /usr /tmp ${A} ${HOME} HOME A".split(" "),
  ..."bun dns=ports tls timezone tmp cwd=write executable=sh executable=../main.ts".split(" "),
  ..."modules=main.ts modules=loop modules=folder modules=/proc/self/mem executable=loop executable=/dev/null".split(
    " ",
  ),
  ..."{ } [ ] : , = \" ' /* */ // # - | > & * ! % @ ? [[ ]] [[paths]] [variables] --- <<".split(
    " ",
  ),
];

const names = ["a.json", "a.jsonc", "a.toml", "a.yaml", "a.yml", "package.json"] as const;

/** Writes any value as text: every format except TOML accepts JSON. */
function mutate(random: Random, files: readonly PolicyFile[]): PolicyFile {
  const { name, text } = random.one(files);
  if (name.includes("json") && random.chance(0.6)) {
    try {
      let value = Bun.JSONC.parse(text) as unknown;
      for (let times = 1 + random.below(3); times > 0; times--) {
        value = mutateValue(random, value, known);
      }
      return { name: random.chance(0.8) ? name : random.one(names), text: JSON.stringify(value) };
    } catch {
      // The input is already broken, so write it as text.
    }
  }
  return { name, text: mutateText(random, text, random.one(files).text, known) };
}

function valueIn({ name, text }: PolicyFile): unknown {
  if (name.endsWith(".toml")) return Bun.TOML.parse(text);
  if (/\.ya?ml$/.test(name)) return Bun.YAML.parse(text);
  const value = Bun.JSONC.parse(text.replace(/^\ufeff/, "")) as { landlock: unknown };
  return name === "package.json" ? value.landlock : value;
}

function checkMeaning(policy: Policy, value: unknown, folder: string): void {
  const meaning = meaningOf(value, folder);
  const { config } = policy;
  compareGrants(grantsOf(policy.rules), meaning.grants, !meaning.hasPresets);
  must(config.fs.length + config.net.length + config.scoped.length > 0, "something is restricted");
  for (const family of ["fs", "net", "scoped"] as const) {
    const handled: readonly string[] = [...config[family]].sort();
    const expected = [...meaning.handled[family]].sort();
    must(Bun.deepEquals(handled, expected), `${family}: ${handled} is handled, not ${expected}`);
  }
  must((config.mode === "best-effort") === meaning.bestEffort, "as strict as it says");
  const plan = planFor(config, policy.rules, { abi: 11, errata: 15, state: "enabled" });
  must(plan.enforcement === "full", "the newest kernel enforces all of it");
  must(
    Bun.deepEquals(plan.handled, { fs: config.fs, net: config.net, scoped: config.scoped }),
    "plan",
  );
}

/**
 * The target. It writes its files into a folder, together with what policies may name.
 *
 * @param folder An empty folder for this target
 */
export function policies(folder: string): Target<PolicyFile> {
  mkdirSync(join(folder, "folder"));
  writeFileSync(join(folder, "main.ts"), 'import "./folder/../other";\n');
  writeFileSync(join(folder, "other.ts"), "export {};\n");
  symlinkSync("loop", join(folder, "loop"));
  const check = (file: PolicyFile) => {
    const path = join(folder, file.name);
    writeFileSync(path, file.text);
    let policy;
    try {
      policy = loadPolicy(path);
    } catch (error) {
      return refusal(error);
    }
    const value = valueIn(file);
    checkMeaning(policy, value, folder);
    // A file's value, parsed again, must mean the same.
    const again = parsePolicy(value, { base: folder });
    must(Bun.deepEquals({ ...again }, { ...policy }), "the value means the same");
    const kinds = new Set(policy.rules.map((rule) => JSON.stringify(rule).length >> 6));
    return `accepted ${Object.keys(value as object).sort()} ${[...kinds]}`;
  };
  const sample = (name: string) => ({ name, text: readFileSync(join(samples, name), "utf8") });
  const found = JSON.parse(readFileSync(kept, "utf8")) as PolicyFile[];
  return {
    seeds: [...readdirSync(samples).map(sample), ...found],
    mutate,
    check,
    shrink: ({ name, text }, fails) => ({
      name,
      text: shrinkText(text, (shorter) => fails({ name, text: shorter })),
    }),
  };
}
