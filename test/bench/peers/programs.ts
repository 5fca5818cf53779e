/** Programs written for the measurements, compiled on demand. */
import { join } from "node:path";
import { benchFolder } from "./cache.ts";
import type { Debian } from "./debian.ts";

const native = join(import.meta.dir, "..", "native");
const go = join(import.meta.dir, "..", "go");

function compile(words: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const done = Bun.spawnSync([...words], { env: { ...process.env, ...env }, stderr: "pipe" });
  if (!done.success) throw new Error(done.stderr.toString());
}

const flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-pthread"];

/**
 * Compiles a C program of `native/`.
 *
 * @param extra More flags and files for the compiler
 * @returns The path of the program
 */
export function cProgram(name: string, sources: readonly string[], ...extra: string[]): string {
  const output = join(benchFolder("programs"), name);
  const files = sources.map((source) => join(native, source));
  compile(["gcc", ...flags, ...files, "-o", output, ...extra, "-ldl"]);
  return output;
}

/** Like `cProgram()`, with the libpsx of Debian's newest libcap; undefined if that is missing. */
export function psxProgram(debian: Debian | undefined): string | undefined {
  const library = debian?.file(join("usr", "include", "sys", "psx_syscall.h"));
  if (debian === undefined || library === undefined) return undefined;
  const include = join(library, "..", "..");
  const options = ["-DWITH_PSX", `-I${include}`, join(debian.libraries, "libpsx.a")];
  return cProgram("threads-psx", ["threads.c", "crowd.c"], ...options);
}

/**
 * Compiles a program of `go/` with Debian's toolchain and go-landlock.
 *
 * @param linking How its threads make system calls together: by Go's runtime, or libpsx
 * @returns The path of the program; undefined if there is no toolchain
 */
export function goProgram(
  debian: Debian | undefined,
  name: string,
  linking: "static" | "cgo",
): string | undefined {
  const tool = debian?.file("usr/lib/go/bin/go");
  const modules = debian?.file("usr/share/gocode");
  if (tool === undefined || modules === undefined) return undefined;
  const output = join(benchFolder("programs"), `go-${name}-${linking}`);
  compile([tool, "build", "-trimpath", "-o", output, join(go, `${name}.go`)], {
    CGO_ENABLED: linking === "cgo" ? "1" : "0",
    GO111MODULE: "off",
    GOCACHE: benchFolder("go-cache"),
    GOPATH: modules,
    GOTOOLCHAIN: "local",
  });
  return output;
}
