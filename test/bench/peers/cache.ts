/** Where what the peers need is kept: outside of the tree. */
import { cacheFolder } from "../../kernels/cache.ts";

/** The path of a folder in the cache, made if it is not there. */
export function benchFolder(...names: readonly string[]): string {
  return cacheFolder("..", "bench", ...names);
}
