/**
 * Where a test finds a compiled program: it is compiled when it is wanted, or, on a machine without
 * a compiler, brought along in the folder that `LANDLOCK_TEST_PROGRAMS` names.
 */
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { tempDir } from "./harness.ts";
import { compile, compilers, packages, programs, type ProgramName } from "./programs.ts";

const prebuilt = process.env["LANDLOCK_TEST_PROGRAMS"];

/** What is missing to have this program here, as `"needs gcc"`; empty: nothing. */
export function missingFor(name: ProgramName): string {
  if (process.platform !== "linux") return "needs Linux";
  if (prebuilt !== undefined) return existsSync(join(prebuilt, name)) ? "" : `needs ${name}`;
  const compiler = compilers[programs[name].libc];
  return Bun.which(compiler) ? "" : `needs ${compiler}`;
}

/** The path of a program that is brought along, or compiled now. */
export function program(name: ProgramName): string {
  const missing = missingFor(name);
  if (missing) throw new Error(`${missing}: apt-get install ${packages[programs[name].libc]}`);
  if (prebuilt !== undefined) return join(prebuilt, name);
  const folder = tempDir();
  // Some cases go on as another user.
  chmodSync(folder, 0o755);
  compile(name, join(folder, name));
  return join(folder, name);
}
