/** Keeps downloads and results outside the tree. */
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The path of a folder in the cache, created if missing. */
export function cacheFolder(...names: readonly string[]): string {
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const folder = join(base, "bun-landlock", "kernels", ...names);
  mkdirSync(folder, { recursive: true });
  return folder;
}
