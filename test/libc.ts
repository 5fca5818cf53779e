/** Functions of libc that Bun has no equivalent for. */
import { dlopen, type FFIFunction } from "bun:ffi";

const names = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];

/** Opens the libc that this Bun is built for. */
export function openLibc<Functions extends Record<string, FFIFunction>>(
  functions: Functions,
): ReturnType<typeof dlopen<Functions>>["symbols"] {
  for (const name of names) {
    try {
      return dlopen(name, functions).symbols;
    } catch {}
  }
  throw new Error("there is no libc");
}
