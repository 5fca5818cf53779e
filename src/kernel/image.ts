/**
 * The bytes of the native library for this CPU. The published bundles replace this module by one
 * that holds the bytes as text, so they need no other file.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import arm64 from "../../lib/prebuilt/linux-arm64/liblandlock.so" with { type: "file" };
import x64 from "../../lib/prebuilt/linux-x64/liblandlock.so" with { type: "file" };

/** The path of the library's file. Only for tests, since the published bundles have none. */
export function nativePath(): string {
  return resolve(import.meta.dir, process.arch === "arm64" ? arm64 : x64);
}

/**
 * The library, as text in base64 in the bundles. Read at import: a later restriction may make its
 * file inaccessible.
 */
export const image: Uint8Array | string = readFileSync(nativePath());
