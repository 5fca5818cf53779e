/**
 * `bun test/soak/rulesets.ts [COUNT] [LINES]`: one process builds and closes a million rulesets,
 * one in ten of which fails halfway. Prints its resources, and fails if they grow.
 */
import { landlock, LandlockError, roDirs, rwFiles } from "../../src/index.ts";
import { figures, finish, Table } from "./figures.ts";

const [count = 1_000_000, lines = 10] = process.argv.slice(2).map(Number);
const config = landlock.V11.bestEffort();
const rules = [roDirs("/usr", "/proc"), rwFiles("/dev/null")];
const missing = roDirs("/usr", "/there is no such path");

function buildOne(number: number): void {
  if (number % 10 !== 9) {
    config.ruleset(...rules)[Symbol.dispose]();
    return;
  }
  try {
    config.ruleset(missing);
  } catch (error) {
    if (error instanceof LandlockError && error.code === "ERR_LANDLOCK_PATH") return;
    throw error;
  }
  throw new Error("a missing path was granted");
}

const table = new Table("rulesets");
table.add(0, figures());
for (let step = 1, number = 0; step <= lines; step++) {
  for (const end = Math.round((count * step) / lines); number < end; number++) buildOne(number);
  table.add(number, figures());
}
finish(table, 16 * 1024);
