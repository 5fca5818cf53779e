/** The C programs that tests need, and how to compile each. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

interface Program {
  readonly folder: string;
  readonly sources: readonly string[];
  readonly flags: readonly string[];
  /** Flags that only arm64 compilers know. */
  readonly arm64Flags?: readonly string[];
  /** The libc it is for; each has its own compiler. */
  readonly libc: "glibc" | "musl";
}

const stress = join(import.meta.dir, "lib");
const inside = join(import.meta.dir, "threads", "inside");
const lib = join(import.meta.dir, "..", "lib");
const strict = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"];

function stressFor(libc: "glibc" | "musl"): Program {
  const sources = readdirSync(stress).filter((file) => file.endsWith(".c"));
  return { folder: stress, sources, flags: [...strict, "-ldl"], libc };
}

function library(source: string, folder = inside): Program {
  return {
    folder,
    sources: [source],
    flags: [...strict, "-shared", "-fPIC"],
    libc: "glibc",
  };
}

/** The native library of `lib/` with a shim that makes system calls fail, for test/faults. */
function faultyLibrary(): Program {
  const sources = readdirSync(lib).filter((file) => file.endsWith(".c") && file !== "launcher.c");
  const freestanding = [
    ...["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-nostdlib"],
    ...["-ffreestanding", "-fno-builtin", "-fno-tree-loop-distribute-patterns"],
    ...["-fvisibility=hidden", "-fno-stack-protector", "-fno-asynchronous-unwind-tables"],
    "-Wl,-z,noseparate-code,-z,norelro,-z,now,-z,noexecstack,-z,defs,-e,landlock_launcher",
  ];
  return {
    folder: lib,
    sources: [...sources, "../test/faults/shim.c"],
    flags: [...freestanding, "-include", "../test/faults/shim.h"],
    arm64Flags: ["-mno-outline-atomics"],
    libc: "glibc",
  };
}

/** All programs, by file name. */
export const programs = {
  "stress-glibc": stressFor("glibc"),
  "stress-musl": stressFor("musl"),
  "deaf.so": library("deaf.c"),
  "relay.so": library("relay.c"),
  "forker.so": library("forker.c", join(import.meta.dir, "faults")),
  "faulty.so": faultyLibrary(),
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof programs;

/** The compiler for each libc. */
export const compilers = { glibc: "gcc", musl: "musl-gcc" } as const;
/** The Debian packages of the compilers. */
export const packages = { glibc: "gcc", musl: "musl-tools" } as const;

/** Compiles one program, by default with this machine's compiler and for this machine. */
export function compile(name: ProgramName, output: string, compiler?: readonly string[]): void {
  const { folder, sources, flags, arm64Flags = [], libc }: Program = programs[name];
  const [first, ...others] = compiler ?? [compilers[libc]];
  const isArm64 = compiler ? first!.startsWith("aarch64") : process.arch === "arm64";
  const all = [...others, ...sources, "-o", output, ...flags, ...(isArm64 ? arm64Flags : [])];
  const command = [first!, ...all];
  const done = Bun.spawnSync(command, { cwd: folder });
  if (!done.success) throw new Error(done.stderr.toString());
}
