/**
 * Finds or compiles a C program of a test. A machine without a compiler takes it from the folder
 * that `LANDLOCK_TEST_PROGRAMS` names.
 */
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { tempDir } from "./harness.ts";
import { compile, compilers, packages, programs, type ProgramName } from "./programs.ts";

const prebuilt = process.env["LANDLOCK_TEST_PROGRAMS"];

/** What this program needs and this machine lacks, such as `"needs gcc"`; empty if nothing. */
export function missingFor(name: ProgramName): string {
  if (process.platform !== "linux") return "needs Linux";
  if (prebuilt !== undefined) return existsSync(join(prebuilt, name)) ? "" : `needs ${name}`;
  const compiler = compilers[programs[name].libc];
  return Bun.which(compiler) ? "" : `needs ${compiler}`;
}

/** The path of a prebuilt program, or of one compiled now. */
export function program(name: ProgramName): string {
  const missing = missingFor(name);
  if (missing) throw new Error(`${missing}: apt-get install ${packages[programs[name].libc]}`);
  if (prebuilt !== undefined) return join(prebuilt, name);
  const folder = tempDir();
  // Some cases continue as another user.
  chmodSync(folder, 0o755);
  compile(name, join(folder, name));
  return join(folder, name);
}
