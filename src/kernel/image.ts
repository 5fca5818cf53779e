/**
 * The bytes of the native library for this CPU. In the published bundles another module stands
 * here that holds them as text: a bundle then needs no file beside it, whoever made it.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import arm64 from "../../lib/prebuilt/linux-arm64/liblandlock.so" with { type: "file" };
import x64 from "../../lib/prebuilt/linux-x64/liblandlock.so" with { type: "file" };

/** Path of the library's file, for tests: the published bundles have none. */
export function nativePath(): string {
  return resolve(import.meta.dir, process.arch === "arm64" ? arm64 : x64);
}

// Now, since its file may be out of reach once this process is restricted.
const bytes = readFileSync(nativePath());

/** The library. */
export function nativeBytes(): Uint8Array {
  return bytes;
}
