/** Keeps what the peers need outside the tree. */
import { cacheFolder } from "../../kernels/cache.ts";

/** The path of a folder in the cache, created if missing. */
export function benchFolder(...names: readonly string[]): string {
  return cacheFolder("..", "bench", ...names);
}
