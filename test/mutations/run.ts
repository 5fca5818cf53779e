/**
 * Makes each listed mistake in a copy of the project and runs the tests that must notice it: `bun
 * test/mutations/run.ts [PART OF A FILE'S NAME]`. Exits with 1 if a mistake goes unnoticed, or
 * tests fail without one.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mutations, type Mutation } from "./list.ts";

const root = join(import.meta.dir, "../..");
const timeoutMs = 180_000;

/** A copy that may be changed, with the modules that the sources import. */
function copyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), "landlock-mutations-"));
  const settings = ["package.json", "tsconfig.json", "bunfig.toml"];
  for (const name of ["src", "test", "lib", "node_modules/zod", "README.md", ...settings]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  return folder;
}

function passes(folder: string, tests: readonly string[]): boolean {
  const files = tests.map((name) => join(folder, "test", name));
  const { exitCode } = Bun.spawnSync([process.execPath, "test", ...files], {
    cwd: folder,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  return exitCode === 0;
}

/** Whether the tests pass despite the mistake. */
async function isAlive(folder: string, { file, text, instead, tests }: Mutation): Promise<boolean> {
  const path = join(folder, "src", file);
  const before = await Bun.file(path).text();
  const parts = before.split(text);
  if (parts.length !== 2) {
    throw new Error(`src/${file} has ${parts.length - 1} times ${JSON.stringify(text)}, not once`);
  }
  await Bun.write(path, parts.join(instead));
  try {
    return passes(folder, tests);
  } finally {
    await Bun.write(path, before);
  }
}

const [part = ""] = process.argv.slice(2);
const chosen = mutations.filter(({ file }) => file.includes(part));
const folder = copyProject();
let alive = 0;
try {
  const sound = new Map<string, boolean>();
  for (const mutation of chosen) {
    const { file, text, tests } = mutation;
    const suite = tests.join(", ");
    // A test that always fails notices nothing.
    if (!sound.has(suite)) sound.set(suite, passes(folder, tests) || passes(folder, tests));
    const lives = !sound.get(suite) || (await isAlive(folder, mutation));
    if (lives) alive++;
    const word = lives ? (sound.get(suite) ? "ALIVE " : "BROKEN") : "killed";
    console.log(`${word}  ${file}: ${text.replaceAll(/\s+/g, " ").slice(0, 60)}  (${suite})`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${chosen.length} mistakes, ${alive} unnoticed`);
process.exit(alive > 0 || chosen.length === 0 ? 1 : 0);
