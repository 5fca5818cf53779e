/** `landlock-restrict explain`: from its words to what is run and explained. */
import { LandlockError } from "../errors/errors.ts";
import { probe, unavailable } from "../kernel/probe.ts";
import { checkOpen } from "./descriptors.ts";
import { exitStatusOf } from "../kernel/refused.ts";
import { parseFlags } from "./flags.ts";
import { explainRun } from "./watching.ts";
import { again, beforeTracing, type Start } from "./start.ts";

/**
 * Runs this program itself under strace, so that the sandbox is the one that it makes.
 *
 * @param words What follows `explain`
 * @param start How this process was started
 * @returns The command's exit status; that of a shell where a signal ended it
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` naming the word that is wrong, and as
 *   `explainRun()`
 */
export async function explain(words: readonly string[], start: Start): Promise<number> {
  beforeTracing(words, start);
  const { config, rules, command, fds, json } = parseFlags(words);
  if (command.length === 0) throw invalid("There is no command: put it after --");
  checkOpen(fds);
  const { state } = probe();
  if (state !== "enabled") throw unavailable(state);
  const options = words.slice(0, words.length - command.length - 1);
  const own = options.filter((word) => word !== "--json");
  const ending = await explainRun({
    command: [...again(start), ...own, "--", ...command],
    config,
    rules,
    json,
    fds: fds.filter((fd) => fd > 2),
    inPolicy: options.includes("-policy"),
  });
  return exitStatusOf(ending);
}

function invalid(message: string): LandlockError {
  return new LandlockError("ERR_LANDLOCK_INVALID_RULE", message);
}
