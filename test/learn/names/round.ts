/**
 * Runs one script with hundreds of odd names, denied under `explain` and then under `learn`.
 * Compares the results with what the operations themselves imply.
 */
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadPolicy, parsePolicy, planFor, type Policy, type Rule } from "../../../src/index.ts";
import { learn } from "../../../src/learn/learn.ts";
import type { Random } from "../../random.ts";
import { drawName } from "./draw.ts";
import { drawStep, kindNames, nameOf, type Step } from "./operations.ts";

/** Terminal controls, text direction and invisible characters; line feeds excepted. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** A kernel with every feature. */
const kernel = { abi: 11, errata: 15, state: "enabled" } as const;

/** The result of a round. */
export interface Round {
  readonly names: number;
  readonly operations: number;
  /** Differences from the expected results. */
  readonly differences: readonly string[];
}

/**
 * Draws a round and runs it.
 *
 * @param folder An empty folder
 * @param size Number of operations
 */
export async function tryRound(random: Random, folder: string, size: number): Promise<Round> {
  const base = realpathSync(folder);
  const project = Buffer.concat([Buffer.from(`${base}/`), projectName(random)]);
  const text = project.toString();
  mkdirSync(project);
  mkdirSync(join(base, "home"));
  const steps = Array.from({ length: size }, (_, i) =>
    drawStep(random, project, i.toString(36), random.one(kindNames)),
  );
  // Half the rounds extend the policy by a second run.
  const half = random.chance(0.5) ? size : Math.ceil(size / 2);
  const parts = [steps.slice(0, half), steps.slice(half)].filter((part) => part.length > 0);
  const scripts = parts.map((part, i) => {
    const path = join(base, `script${i}`);
    writeFileSync(path, Buffer.concat(part.map((step) => step.script)));
    return path;
  });
  const policy = random.chance(0.5) ? join(text, "policy.toml") : join(base, "policy.toml");
  const explained = await explain(scripts[0]!, base, text, parts[0]!);
  const learned = await learnHere(scripts, text, join(base, "home"), policy, steps);
  return {
    names: steps.reduce((sum, { names }) => sum + names, 1),
    operations: steps.length,
    differences: [...explained, ...learned],
  };
}

/** Draws an odd name for the project's folder that a policy can name; otherwise no rule could. */
function projectName(random: Random): Buffer {
  for (;;) {
    const name = drawName(random, "project");
    if (nameOf(name).isWellFormed()) return name;
  }
}

const cli = join(import.meta.dir, "../../../src/cli.ts");

/** Everything is denied: the advice must name each operation, and nothing else. */
async function explain(
  script: string,
  base: string,
  project: string,
  steps: readonly Step[],
): Promise<string[]> {
  const system = ["-ro", "/usr", "/bin", "/lib", "+ignore_missing", "/lib64", "-ro", "/etc"];
  const child = Bun.spawn(
    [
      ...[process.execPath, "--config=/dev/null", "--no-env-file", cli, "explain", "--json"],
      ...[...system, "-rwfiles", "/dev/null", "-rofiles", script, "--", "/bin/sh", script],
    ],
    { cwd: project, stdin: "ignore", stdout: "ignore", stderr: "pipe" },
  );
  const said = await child.stderr.text();
  const line = said.trimEnd().split("\n").at(-1)!;
  if (!line.startsWith("{")) return [`explain says ${JSON.stringify(line.slice(0, 200))}`];
  const { denied, policy } = JSON.parse(line) as {
    denied: { operation: { path?: string; to?: string } }[];
    policy: string;
  };
  const differences: string[] = [];
  const check = (holds: boolean, what: string) => {
    if (!holds) differences.push(`explain: ${what}`);
  };
  check(!unprintable.test(line), "the JSON holds what a terminal obeys");
  check(!unprintable.test(policy.replaceAll("\n", "")), "so does the policy");
  const folders = steps.flatMap((step) => step.folders);
  const places = denied.flatMap(({ operation: { path, to } }) =>
    [path, to].filter((one) => one !== undefined && isIn(one, project)),
  ) as string[];
  for (const { kind, wanted, named = wanted.map(({ path }) => path) } of steps) {
    for (const path of named) {
      const isNamed = places.some((place) => isIn(place, path));
      check(isNamed, `nothing is said of ${kind} ${JSON.stringify(path)}`);
    }
  }
  for (const place of places) {
    check(
      folders.some((one) => isIn(place, one)),
      `${JSON.stringify(place)} was not used`,
    );
  }
  for (const path of pathsOf(parsePolicy(Bun.TOML.parse(policy)).rules)) {
    const isUsed = !isIn(path, base) || folders.some((one) => isIn(path, one) || isIn(one, path));
    check(isUsed, `${JSON.stringify(path)} is advised`);
  }
  return differences;
}

/** Learns what the scripts need, in this process, so the project must be its working folder. */
async function learnHere(
  scripts: readonly string[],
  project: string,
  home: string,
  output: string,
  steps: readonly Step[],
): Promise<string[]> {
  const { HOME } = process.env;
  const cwd = process.cwd();
  process.env["HOME"] = home;
  process.chdir(project);
  try {
    const withheld = new Set<string>();
    for (const [i, script] of scripts.entries()) {
      const learned = await learn({ output, merge: i > 0, command: ["/bin/sh", script] });
      if ("failure" in learned) return [`learn: ${learned.failure}`];
      for (const { what } of learned.withheld) withheld.add(what);
    }
    const text = readFileSync(output, "utf8");
    return [
      ...(unprintable.test(text.replaceAll("\n", ""))
        ? ["the policy holds what a terminal obeys"]
        : []),
      ...compare(loadPolicy(output), project, steps, withheld),
    ];
  } finally {
    process.chdir(cwd);
    process.env["HOME"] = HOME;
  }
}

/** What the policy's plan grants in the project, next to what it should grant. */
export function compare(
  policy: Policy,
  project: string,
  steps: readonly Step[],
  withheld: ReadonlySet<string>,
): string[] {
  const planned = planFor(policy.config, policy.rules, kernel).rules.flatMap((rule) =>
    "path" in rule && isIn(rule.path, project)
      ? rule.access.map((right) => `${right} on ${JSON.stringify(rule.path)}, ${rule.onMissing}`)
      : [],
  );
  const wanted = steps.flatMap((step) => step.wanted);
  const meant = new Set(
    wanted
      .filter(({ path }) => path.isWellFormed())
      .flatMap(({ path, rights, ifMissing = "fail" }) =>
        rights.map((right) => `${right} on ${JSON.stringify(path)}, ${ifMissing}`),
      ),
  );
  const unnameable = wanted.filter(({ path }) => !path.isWellFormed());
  return [
    ...[...new Set(planned).difference(meant)].map((one) => `learn grants ${one}`),
    ...[...meant.difference(new Set(planned))].map((one) => `learn does not grant ${one}`),
    ...unnameable
      .filter(({ path }) => !withheld.has(path))
      .map(({ path }) => `learn does not say that ${JSON.stringify(path)} is withheld`),
    ...[...withheld]
      .filter((path) => isIn(path, project) && !unnameable.some((one) => one.path === path))
      .map((path) => `learn withholds ${JSON.stringify(path)}`),
  ];
}

function pathsOf(rules: readonly Rule[]): string[] {
  return rules.flatMap((rule) => {
    if (rule.kind === "composite") return pathsOf(rule.rules);
    return rule.kind === "fs" ? [...rule.paths] : [];
  });
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
