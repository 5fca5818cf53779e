/** The C programs that tests need, and how each is compiled. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

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

/** All of them, by the names of their files. */
export const programs = {
  "stress-glibc": stressFor("glibc"),
  "stress-musl": stressFor("musl"),
  "deaf.so": library("deaf.c"),
  "relay.so": library("relay.c"),
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof programs;

/** The compiler for each libc. */
export const compilers = { glibc: "gcc", musl: "musl-gcc" } as const;
/** The Debian packages of the compilers. */
export const packages = { glibc: "gcc", musl: "musl-tools" } as const;

/** Compiles one of them; by default with the compiler of this machine, for this machine. */
export function compile(name: ProgramName, output: string, compiler?: readonly string[]): void {
  const { folder, sources, flags, libc } = programs[name];
  const command = [...(compiler ?? [compilers[libc]]), ...sources, "-o", output, ...flags];
  const done = Bun.spawnSync(command, { cwd: folder });
  if (!done.success) throw new Error(done.stderr.toString());
}
