/** `landlock-restrict explain`: parses its words, then runs and explains the command. */
import { LandlockError } from "../errors/errors.ts";
import { probe, unavailable } from "../kernel/probe.ts";
import { checkOpen } from "./descriptors.ts";
import { exitStatusOf } from "../kernel/refused.ts";
import { parseFlags } from "./flags.ts";
import { explainRun } from "./watching.ts";
import { again, beforeTracing, type Start } from "./start.ts";

/**
 * Runs this same program under strace, so that it makes the real sandbox.
 *
 * @param words The words after `explain`
 * @param start How this process was started
 * @returns The command's exit status, or a shell's status for a command that a signal ended
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` naming the invalid word, and the errors of
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
