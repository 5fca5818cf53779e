/** The fuzzed parts of the C library, and how to compile each. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const shared = [
  ..."-g -O1 -std=gnu11 -Wall -Wextra -Werror -include arch.h".split(" "),
  "-fno-sanitize-recover=all",
];

/** The C files of each. */
export const natives = {
  proc: ["proc.c"],
  launcher: ["launcher.c"],
  broadcast: ["broadcast.c", "kernel.c", "machine.c", "coroutine.c"],
} as const;

export type Native = keyof typeof natives;

/**
 * Compiles one with AddressSanitizer and UndefinedBehaviorSanitizer.
 *
 * @param compiler `clang` links libFuzzer, `gcc` a main() that runs the given files
 * @throws If it does not compile
 */
export function compile(name: Native, output: string, compiler: "clang" | "gcc"): void {
  const fuzzer = compiler === "clang";
  const sanitizers = `-fsanitize=address,undefined${fuzzer ? ",fuzzer" : ""}`;
  const sources = [...natives[name], ...(fuzzer ? [] : ["replay.c"])];
  const command = [compiler, ...shared, sanitizers, ...sources, "-o", output];
  const done = Bun.spawnSync(command, { cwd: import.meta.dir });
  if (!done.success) throw new Error(done.stderr.toString());
}

/** Threads of `broadcast` switch their stacks themselves. */
export const sanitizerSettings = { ASAN_OPTIONS: "detect_stack_use_after_return=0" };

function seedsOf(name: Native): string {
  return join(import.meta.dir, "seeds", `${name}.txt`);
}

/** Writes a target's seeds into a folder, one file each; returns the files. */
export function unpackSeeds(name: Native, folder: string): string[] {
  mkdirSync(folder);
  const seeds = readFileSync(seedsOf(name), "utf8").split("\n").slice(0, -1);
  return seeds.map((seed, i) => {
    const file = join(folder, `${i}`);
    writeFileSync(file, Uint8Array.fromBase64(seed));
    return file;
  });
}

/**
 * Keeps a folder's files as seeds, together with the existing ones, which include past failures.
 */
export function packSeeds(name: Native, folder: string): void {
  const found = readdirSync(folder).map((file) => readFileSync(join(folder, file), "base64"));
  const before = readFileSync(seedsOf(name), "utf8").split("\n").slice(0, -1);
  const all = [...new Set([...before, ...found])].sort((a, b) => a.length - b.length);
  writeFileSync(seedsOf(name), `${all.join("\n")}\n`);
}
