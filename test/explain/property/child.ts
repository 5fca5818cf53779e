/** The process of one world: builds it, restricts itself, tries all operations and reports. */
import { machineFiles } from "../../../src/model/files.ts";
import { evaluate, type Verdict } from "../../../src/model/model.ts";
import type { Files, Place } from "../../../src/model/place.ts";
import { probe } from "../../inside.ts";
import { build } from "./build.ts";
import { kindOf } from "./totals.ts";
import { ordinary, type Facts, type Ordinary } from "./ordinary.ts";
import { perform } from "./perform.ts";
import { openNetwork } from "./sockets.ts";
import type { Outcome, Report, Trial, World } from "./world.ts";
import { wrongModels } from "./wrong.ts";

/** Looks up each path once, for the facts just before one operation. */
function snapshot(): Files {
  const known = new Map<string, Place>();
  return {
    find(path, follow) {
      const key = `${path}\0${follow}`;
      const place = known.get(key) ?? machineFiles.find(path, follow);
      known.set(key, place);
      return place;
    },
  };
}

/** Every last path component in a world. */
function namesIn({ steps, trials }: World): string[] {
  const operations = trials.map(({ operation }) => operation);
  const paths = [...steps, ...operations].flatMap((one) => [
    ...("path" in one ? [one.path] : []),
    ...("to" in one ? [one.to] : []),
  ]);
  return [...new Set(paths.map((path) => path.slice(path.lastIndexOf("/") + 1)))].filter(
    (name) => name !== "." && name !== "" && name !== "..",
  );
}

function expectedOf(verdict: Verdict, { outcome, before }: Ordinary): string {
  return before || verdict.allowed ? outcome : verdict.errno;
}

function run(world: World, folder: string, devices: boolean, wrong: boolean): Report {
  const network = openNetwork();
  const kernel = probe();
  const names = namesIn(world);
  const { layers, servers, covered, enforce } = build(world, folder);
  const models = wrong ? Object.entries(wrongModels) : [];
  const caught = Object.fromEntries(models.map(([name]) => [name, 0]));
  enforce();
  const attempt = (trial: Trial): Outcome | null => {
    const files = snapshot();
    const facts: Facts = { files, servers, covered, devices, names };
    const without = ordinary(trial, facts);
    if (without === undefined) return null;
    const { operation } = trial;
    const verdict = evaluate(operation, layers, files, kernel);
    const others = models.map(
      ([name, model]) => [name, model(operation, layers, files, kernel)] as const,
    );
    const server =
      operation.kind === "resolve_unix"
        ? servers.get(files.find(operation.path, true).file?.id ?? "")
        : undefined;
    const actual = perform(trial, network, server);
    for (const [name, other] of others) {
      if (expectedOf(other, without) !== actual) caught[name]!++;
    }
    return {
      kind: kindOf(trial),
      expected: expectedOf(verdict, without),
      actual,
      verdict: without.before ? "unasked" : verdict.allowed ? "allowed" : "denied",
    };
  };
  const outcomes = world.trials.map(attempt);
  return { outcomes, caught, layers: layers.length };
}

const input = JSON.parse(process.argv[2]!) as Parameters<typeof run>;
const report = run(...input);
await Bun.write(Bun.stdout, `\n${JSON.stringify(report)}`);
process.exit(0);
