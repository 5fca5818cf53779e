/** What `src/build/lazy.ts` publishes in a separate file: the commands that watch another one. */
import { explainRun } from "../explain/run/command.ts";
import { learn } from "../learn/learn.ts";
import { optionsPolicy } from "../learn/options.ts";

/** Loads the functions behind `explain` and `learn`. */
export async function watching() {
  return { explainRun, learn, optionsPolicy };
}
