/**
 * The commands that watch another one. They are published in a separate file: see
 * `src/build/lazy.ts`.
 */
export { explainRun } from "../explain/run/command.ts";
export { learn } from "../learn/learn.ts";
export { optionsPolicy } from "../learn/options.ts";
