/** `landlock-restrict explain`: parses its words, then runs and explains the command. */
import { LandlockError, printable, syscallError } from "../errors/errors.ts";
import { lastName } from "../kernel/names.ts";
import { probe, unavailable } from "../kernel/probe.ts";
import { exitStatusOf } from "../kernel/refused.ts";
import { openPath } from "../kernel/syscalls.ts";
import { writeError } from "../terminal/output.ts";
import { pasteable } from "../terminal/text.ts";
import { complain } from "./complain.ts";
import { checkOpen } from "./descriptors.ts";
import { parseFlags, type Request } from "./flags.ts";
import { again, beforeTracing, invalid, requireCommand, type Start } from "./start.ts";
import { watching } from "./watching.ts";

/**
 * Runs this same program under strace, so that it makes the real sandbox.
 *
 * @param words The words after `explain`
 * @param start How this process was started
 * @returns The command's exit status, or a shell's status for a command that a signal ended
 * @throws {LandlockError} `ERR_LANDLOCK_USAGE` naming the invalid word, and the errors of
 *   `explainRun()` and `optionsPolicy()`
 */
export async function explain(words: readonly string[], start: Start): Promise<number> {
  beforeTracing(words, start);
  const { own, rest, json, untilItWorks, output } = ownOptions(words);
  const { command, fds } = parseFlags([...own, ...rest]);
  requireCommand(command);
  checkOpen(fds);
  const { state } = probe();
  if (state !== "enabled") throw unavailable(state);
  const inPolicy = own.includes("-policy");
  if (output !== undefined && inPolicy)
    throw invalid("-o writes a new policy: leave out -policy, or leave out -o");
  const { explainRun, optionsPolicy } = await watching();
  const policy = output === undefined ? undefined : optionsPolicy(output);
  const directory = openPath(".");
  if (directory < 0) {
    throw syscallError("Cannot open the current directory", "openat", -directory, { path: "." });
  }
  let last: Request;
  const { ending, added, isCredible } = await explainRun(
    (more) => {
      last = parseFlags([...own, ...more, ...rest]);
      const { config, rules } = last;
      const all = [...again(start, directory), ...own, ...more, "--", ...command];
      return { command: all, config, rules, fds: [...fds.filter((fd) => fd > 2), directory] };
    },
    { json, inPolicy, untilItWorks },
  );
  if (!isCredible) {
    if (policy)
      complain("No policy was written: the command did not begin, or its trace may be forged");
    return exitStatusOf(ending);
  }
  const options = [...own, ...added];
  try {
    const left = policy?.write(options, last!.config, lastName(command[0]!));
    const all = left ? ["-policy", output!, ...left] : options;
    if (untilItWorks && !json) say(all, command, ending.exitCode === 0);
  } catch (error) {
    // The command has run: its status counts.
    if (!(error instanceof LandlockError)) throw error;
    complain(error.message);
  }
  return exitStatusOf(ending);
}

/** The words that `explain` uses itself, and those that it passes on. */
function ownOptions(words: readonly string[]) {
  const end = words.indexOf("--");
  const rest = end < 0 ? [] : words.slice(end);
  const own: string[] = [];
  let json = false;
  let untilItWorks = false;
  let output: string | undefined;
  const options = end < 0 ? words : words.slice(0, end);
  for (let at = 0; at < options.length; at++) {
    const word = options[at]!;
    if (word === "--json") json = true;
    else if (word === "--until-it-works") untilItWorks = true;
    else if (word === "-o" && output === undefined && at + 1 < options.length) {
      output = options[++at]!;
    } else own.push(word);
  }
  if (output !== undefined && !untilItWorks) {
    throw invalid("-o FILE goes with --until-it-works: add that, or learn -o FILE writes a policy");
  }
  return { own, rest, json, untilItWorks, output };
}

function say(options: readonly string[], command: readonly string[], worked: boolean): void {
  const line = pasteable(["landlock-restrict", ...options, "--", ...command]);
  const head = worked ? "The command line:" : "It does not work yet. The command line so far:";
  writeError(`\n${head}\n  ${printable(line)}\n`);
}
