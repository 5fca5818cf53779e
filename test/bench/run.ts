/**
 * `bun run bench [quick] [GROUP]...`: the costs of this library, next to its peers and to floors in
 * C. A full run writes `results/`; `quick` and chosen groups only print.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { launch } from "./groups/launch.ts";
import { opens } from "./groups/opens.ts";
import { rules } from "./groups/rules.ts";
import { server } from "./groups/server.ts";
import { spawn } from "./groups/spawn.ts";
import { startup } from "./groups/startup.ts";
import { threads } from "./groups/threads.ts";
import { tsync } from "./groups/tsync.ts";
import { describeMachine } from "./machine.ts";
import { chart } from "./report/chart.ts";
import { readme, withSection } from "./report/readme.ts";
import { table } from "./report/table.ts";
import type { Group, Results } from "./results.ts";
import { openWorkshop } from "./workshop.ts";

const measurements = { launch, startup, spawn, rules, threads, tsync, server, opens };
type Name = keyof typeof measurements;

/** Above this load, the figures show the other programs more. */
const quietLoad = 0.5;

const words = process.argv.slice(2);
const quick = words.includes("quick");
const names = Object.keys(measurements) as Name[];
const unknown = words.filter((word) => word !== "quick" && !names.includes(word as Name));
if (unknown.length > 0) {
  throw new Error(`there is no ${unknown.join(", ")}: use quick, ${names.join(", ")}`);
}
const chosen = names.filter((name) => words.includes(name));

const machine = describeMachine();
if (machine.load > quietLoad) console.error(`The machine is busy: load ${machine.load}`);
const groups: Group[] = [];
{
  using workshop = await openWorkshop(quick);
  for (const name of chosen.length > 0 ? chosen : names) {
    const begun = performance.now();
    groups.push(...(await measurements[name](workshop)));
    const seconds = ((performance.now() - begun) / 1000).toFixed(0);
    console.error(`${name}: ${seconds} s`);
  }
}
const date = new Date().toISOString().slice(0, 10);
const results: Results = { date, quick, machine, groups };
console.log(table(results));

if (!quick && chosen.length === 0) {
  const root = join(import.meta.dir, "..", "..");
  const folder = join(import.meta.dir, "results");
  const page = join(root, "src", "sandbox", "README.md");
  mkdirSync(folder, { recursive: true });
  await Bun.write(join(folder, "chart.svg"), chart(results));
  await Bun.write(join(folder, "README.md"), readme(results));
  const text = await Bun.file(page).text();
  await Bun.write(page, withSection(text, results, "test/bench/results"));
  Bun.spawnSync([process.execPath, "fmt", folder, page], { cwd: root });
  console.log(`\nWritten: ${folder}`);
}
