/**
 * All presets. In the published bundle this file and those beside it travel as text and are
 * evaluated when the first preset is called: see `src/build/main.ts`.
 */
export { dns } from "./dns.ts";
export { executable } from "./executable.ts";
export { modules } from "./modules.ts";
export { named } from "./named.ts";
export { bun, cwd, timezone, tls, tmp } from "./system.ts";
