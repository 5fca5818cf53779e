/**
 * All presets. The published bundle holds this file and its neighbours as text and evaluates them
 * when the first preset is called: see `src/build/lazy.ts`.
 */
export { dns } from "./dns.ts";
export { executable } from "./executable.ts";
export { modules } from "./modules.ts";
export { named } from "./named.ts";
export { bun, cwd, timezone, tls, tmp } from "./system.ts";
