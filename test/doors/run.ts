/**
 * `bun test/doors/run.ts [WORD…]` runs the whole table: each program in every way, with each kit of
 * planted files in every place. Words select entries and kits by name.
 */
import { rmSync } from "node:fs";
import { folders } from "../folders.ts";
import { installPacked } from "../packed.ts";
import { entries } from "./entries.ts";
import { places } from "./scene.ts";
import { inParallel, isLive, tryOut, type Trial } from "./table.ts";
import { kits } from "./traps.ts";

const words = process.argv.slice(2);
const chosen = <Item extends { name: string }>(items: readonly Item[]) => {
  const named = items.filter(({ name }) => words.includes(name));
  return named.length > 0 ? named : items;
};

const installed = await installPacked();
const traps = kits.flatMap((kit) => kit.traps);
const live = await inParallel(traps, (trap) => isLive(installed, trap));
const dead = traps.filter((_, i) => !live[i]).map(({ name }) => name);
for (const name of dead) console.log(`nobody obeys ${name}: it shows nothing`);

const trials: Trial[] = chosen(kits).flatMap((kit) =>
  places.flatMap((place) =>
    chosen(entries).map((entry) => ({
      kit,
      places: [place],
      starts: entry.ways.map((way) => [entry, way] as const),
    })),
  ),
);
const results = await inParallel(trials, async (trial) => {
  const result = await tryOut(installed, trial);
  for (const line of result.wrong) console.log(line);
  return { ...result, entry: trial.starts[0]![0].name, kit: trial.kit.name };
});

const rows = chosen(entries).map(({ name, ways }) => {
  const own = results.filter(({ entry }) => entry === name);
  const count = (list: typeof results) => list.reduce((sum, { count }) => sum + count, 0);
  const wrong = own.reduce((sum, { wrong }) => sum + wrong.length, 0);
  const byKit = chosen(kits).map((kit) => count(own.filter((one) => one.kit === kit.name)));
  return [name, ways.length, ...byKit, count(own), wrong];
});
const head = ["entry", "ways", ...chosen(kits).map(({ name }) => name), "started", "trapped"];
const lines = [head, head.map(() => "---"), ...rows];
console.log(lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n"));
const wrong = results.reduce((sum, { wrong }) => sum + wrong.length, 0);
const started = results.reduce((sum, { count }) => sum + count, 0);
console.log(`${started} programs started in ${places.length} places; ${wrong} trapped or wrong`);
for (const folder of folders) rmSync(folder, { recursive: true, force: true });
process.exit(wrong + dead.length > 0 ? 1 : 0);
