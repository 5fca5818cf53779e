/** Compares the same operations on two folders, one granted and one denied. */
import { Database } from "bun:sqlite";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inSubprocess, tempDir } from "../harness.ts";
import { nativePath } from "../../src/kernel/image.ts";
import type { Outcomes } from "./inside/observe.ts";

/** A PNG image of one pixel. */
const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** What the operations of `inside/` need in both folders. */
function fill(dir: string): void {
  mkdirSync(join(dir, "folder"));
  writeFileSync(join(dir, "file"), "text");
  writeFileSync(join(dir, "data.json"), "{}");
  writeFileSync(join(dir, "image.png"), Buffer.from(pixel, "base64"));
  writeFileSync(join(dir, "module.ts"), "export const answer: number = 42;\n");
  writeFileSync(join(dir, "module.cjs"), "module.exports = 42;\n");
  writeFileSync(join(dir, "worker.ts"), "postMessage('up');\n");
  symlinkSync("file", join(dir, "link"));
  cpSync(nativePath(), join(dir, "library-1.so"));
  cpSync(nativePath(), join(dir, "library-2.so"));
  using database = new Database(join(dir, "data.sqlite"));
  database.run("CREATE TABLE t AS SELECT 'text' AS value");
  for (let i = 1; i <= 8; i++) {
    writeFileSync(join(dir, `spare-file-${i}`), "text");
    mkdirSync(join(dir, `spare-folder-${i}`));
  }
}

/** Two equal folders. */
export function places(): { readonly granted: string; readonly other: string } {
  const root = tempDir();
  const [granted, other] = [join(root, "granted"), join(root, "other")];
  for (const dir of [granted, other]) {
    mkdirSync(dir);
    fill(dir);
  }
  return { granted, other };
}

/** The path of a module next to the bodies, which they must import themselves. */
export function insidePath(name: string): string {
  return join(import.meta.dir, "inside", `${name}.ts`);
}

/** Outcomes by operation, before and after the restriction, in each folder. */
export interface Confinement {
  readonly before: { readonly granted: Outcomes; readonly other: Outcomes };
  readonly after: { readonly granted: Outcomes; readonly other: Outcomes };
}

/** The thread that starts the operations; the main thread always restricts. */
export const threads = ["the main thread", "a Worker"] as const;

/**
 * Runs all operations of a group before and after everything but one folder is denied.
 *
 * @param thread Where they run; a Worker starts before the restriction
 * @param module A module of `inside/`
 * @param group The name of its export that lists the operations
 * @param system More paths to grant for reading and executing
 */
export function confinement(
  thread: (typeof threads)[number],
  module: string,
  group: string,
  system: readonly string[] = [],
): Promise<Confinement> {
  const { granted, other } = places();
  const inWorker = thread === "a Worker";
  return inSubprocess(
    { granted, other, inWorker, module: insidePath(module), group, system, run: insidePath("run") },
    async ({ landlock, roDirs, rwDirs }, { granted, other, system, run, ...what }) => {
      const { runner } = (await import(run)) as typeof import("./inside/run.ts");
      const outcomes = await runner(what.inWorker, what.module, what.group);
      const look = async () => ({
        granted: await outcomes(granted),
        other: await outcomes(other),
      });
      const before = await look();
      const rules = [rwDirs(granted).withRefer(), roDirs(...system).ignoreIfMissing()];
      landlock.V11.bestEffort().restrictPaths(...rules);
      return { before, after: await look() };
    },
    // The shell of Bun.$ opens its working directory.
    { cwd: granted },
  );
}

/** What `confinement()` must return: all operations work, except these outcomes where denied. */
export function confined(denials: Outcomes): Confinement {
  const well = Object.fromEntries(Object.keys(denials).map((name) => [name, "ok"]));
  return {
    before: { granted: well, other: well },
    after: { granted: well, other: denials },
  };
}
