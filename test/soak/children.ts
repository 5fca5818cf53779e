/**
 * `bun test/soak/children.ts [COUNT] [LINES]`: a server starts 100,000 sandboxed children, 8 at a
 * time. One in four uses spawnSync(), and the sandbox refuses one in a hundred. Prints the server's
 * resources, and fails if they grow.
 */
import { join } from "node:path";
import { finish, Table, type Figures } from "./figures.ts";

const [count = 100_000, lines = 10] = process.argv.slice(2).map(Number);
const atATime = 8;

const server = Bun.spawn([process.execPath, join(import.meta.dir, "server.ts")], {
  stdout: "pipe",
  stderr: "inherit",
});
const { value } = await server.stdout.getReader().read();
const url = new TextDecoder().decode(value).trim();

async function ask(path: string): Promise<string> {
  return (await fetch(`${url}${path}`)).text();
}

function kindOf(number: number): readonly [path: string, answer: string] {
  if (number % 100 === 99) return ["refused", "ERR_LANDLOCK_PATH"];
  return [number % 4 === 0 ? "spawn-sync" : "spawn", "0"];
}

let next = 0;
async function client(end: number): Promise<void> {
  while (next < end) {
    const [path, answer] = kindOf(next++);
    const got = await ask(path);
    if (got !== answer) throw new Error(`${path} answered ${got} where ${answer} was due`);
  }
}

const table = new Table("children");
const line = async () => table.add(next, JSON.parse(await ask("figures")) as Figures);
await line();
for (let step = 1; step <= lines; step++) {
  const end = Math.round((count * step) / lines);
  await Promise.all(Array.from({ length: atATime }, () => client(end)));
  await line();
}
await ask("stop");
await server.exited;
// The collector alone causes about half of this.
finish(table, 16 * 1024);
