/**
 * The C programs that tests need, each compiled when it is wanted. A machine without a compiler,
 * as the virtual machines of test/kernels, brings them along: `LANDLOCK_TEST_PROGRAMS` names the
 * folder.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { tempDir } from "./harness.ts";

interface Program {
  readonly folder: string;
  readonly sources: readonly string[];
  readonly flags: readonly string[];
  /** Which libc it is for; each has a compiler of its own. */
  readonly libc: "glibc" | "musl";
}

const stress = join(import.meta.dir, "lib");
const inside = join(import.meta.dir, "threads", "inside");
const strict = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"];

function stressFor(libc: "glibc" | "musl"): Program {
  const sources = readdirSync(stress).filter((file) => file.endsWith(".c"));
  return { folder: stress, sources, flags: [...strict, "-ldl"], libc };
}

function library(source: string): Program {
  return {
    folder: inside,
    sources: [source],
    flags: [...strict, "-shared", "-fPIC"],
    libc: "glibc",
  };
}

/** All of them, by the names they have in the folder of `LANDLOCK_TEST_PROGRAMS`. */
export const programs = {
  "stress-glibc": stressFor("glibc"),
  "stress-musl": stressFor("musl"),
  "deaf.so": library("deaf.c"),
  "relay.so": library("relay.c"),
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof programs;

const compilers = { glibc: "gcc", musl: "musl-gcc" } as const;
const packages = { glibc: "gcc", musl: "musl-tools" } as const;
const prebuilt = process.env["LANDLOCK_TEST_PROGRAMS"];

/** Compiles one of them; by default with the compiler of this machine, for this machine. */
export function compile(name: ProgramName, output: string, compiler?: readonly string[]): void {
  const { folder, sources, flags, libc } = programs[name];
  const command = [...(compiler ?? [compilers[libc]]), ...sources, "-o", output, ...flags];
  const done = Bun.spawnSync(command, { cwd: folder });
  if (!done.success) throw new Error(done.stderr.toString());
}

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
  const output = join(tempDir(), name);
  compile(name, output);
  return output;
}
