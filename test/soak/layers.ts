/**
 * `bun test/soak/layers.ts [SECONDS] [LINES]`: for 20 minutes, starts processes that stack as many
 * layers as the kernel allows, fail at one more, and end. Prints the resources of this parent
 * process, and fails if they grow.
 */
import { join } from "node:path";
import { figures, finish, Table } from "./figures.ts";

const [seconds = 20 * 60, lines = 20] = process.argv.slice(2).map(Number);
const command = [process.execPath, join(import.meta.dir, "stacker.ts")];

const table = new Table("processes");
let processes = 0;
table.add(processes, figures());
const started = performance.now();
for (let step = 1; step <= lines; step++) {
  do {
    const { exitCode, stdout, stderr } = Bun.spawnSync(command);
    if (exitCode !== 0 || stdout.toString() !== "16 layers\n")
      throw new Error(`a process ended with ${exitCode}: ${stdout.toString()}${stderr.toString()}`);
    processes++;
  } while ((performance.now() - started) / 1000 < (seconds * step) / lines);
  table.add(processes, figures());
}
finish(table, 8 * 1024);
