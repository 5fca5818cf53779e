/** The commands that watch another one, published as a file of their own: see `src/build/lazy.ts`. */
export { explainRun } from "../explain/run/command.ts";
export { learn } from "../learn/learn.ts";
