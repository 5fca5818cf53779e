/** `landlock-restrict learn`: parses its words, learns a policy and reports the result. */
import { printable, quoted } from "../errors/errors.ts";
import { lookUpCommand, lookUpFailure } from "../kernel/lookup.ts";
import { currentDirectory } from "../kernel/names.ts";
import { executeError, exitStatusFor, exitStatusOf, expectedErrno } from "../kernel/refused.ts";
import type { Learned } from "../learn/learn.ts";
import { paint, pasteable } from "../terminal/text.ts";
import { writeError } from "../terminal/output.ts";
import { screenOf, type Screen } from "../terminal/screen.ts";
import { complain } from "./complain.ts";
import { checkOpen } from "./descriptors.ts";
import { toFd } from "./flags.ts";
import { beforeTracing, invalid, requireCommand, type Start } from "./start.ts";
import { watching } from "./watching.ts";

/**
 * Learns a policy and reports on standard error, because standard output belongs to the command.
 *
 * @param words The words after `learn`
 * @param start How this process was started
 * @returns The command's exit status, or a shell's status for a command that a signal ended
 * @throws {LandlockError} `ERR_LANDLOCK_USAGE` naming the invalid word, and the errors of
 *   `learn()`
 */
export async function learnCommand(words: readonly string[], start: Start): Promise<number> {
  beforeTracing(words, start);
  const { json, ...request } = parse(words);
  const [name] = request.command as [string];
  const path = lookUpCommand(name);
  if (typeof path === "number") {
    complain(`cannot execute ${quoted(name)}: ${lookUpFailure(path)}`);
    return exitStatusFor(path);
  }
  const errno = expectedErrno(path);
  if (errno !== 0) {
    complain(executeError(`cannot execute ${quoted(path)}`, path, errno).message);
    return exitStatusFor(errno);
  }
  const { learn } = await watching();
  const learned = await learn(request);
  if (json) writeError(`${printable(JSON.stringify(learned))}\n`);
  else if ("failure" in learned) complain(learned.failure);
  else writeError(text(learned, request.output, screenOf(2)));
  return exitStatusOf(learned.ending);
}

function parse(words: readonly string[]) {
  const end = words.indexOf("--");
  const command = end < 0 ? [] : words.slice(end + 1);
  let output: string | undefined;
  let merge = false;
  let json = false;
  const fds: number[] = [];
  for (let at = 0; at < (end < 0 ? words.length : end); at++) {
    const word = words[at]!;
    if (word === "-merge") merge = true;
    else if (word === "--json") json = true;
    else if (word === "-o" && output === undefined && at + 1 < words.length) output = words[++at];
    else if (word === "-fd") {
      while (/^\d/.test(words[at + 1] ?? "")) fds.push(toFd(words[++at]!));
    } else {
      throw invalid(`learn takes -o FILE, -merge, -fd N and --json, not ${quoted(word)}`);
    }
  }
  if (output === undefined)
    throw invalid("There is no file for the policy: add -o FILE, such as -o policy.toml");
  requireCommand(command);
  if (!output.startsWith("/") && !currentDirectory().isWellFormed())
    throw invalid("The name of the current directory is not UTF-8: give -o an absolute path");
  checkOpen(fds);
  return { output, merge, json, command, fds: fds.filter((fd) => fd > 2) };
}

function text(learned: Learned, output: string, screen: Screen): string {
  const { changed, diff, notes, operations, caveats } = learned;
  const what = changed ? (diff.length > 0 ? "extended" : "written") : "needs nothing more";
  const lines = [
    ...diff.map((line) => painted(line, screen)),
    ...notes.map((note) => {
      const shown = printable(note);
      return shown.startsWith("  ") ? shown : paint("yellow", shown, screen);
    }),
    ...caveats,
    `${paint("bold", printable(output), screen)}: ${what}, after ${operations} operations. Read it, and try it:`,
    `landlock-restrict -policy ${pasteable([output])} -- ...`,
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function painted(line: string, screen: Screen): string {
  const shown = printable(line);
  if (line.startsWith("+")) return paint("green", shown, screen);
  if (line.startsWith("-")) return paint("red", shown, screen);
  return line.startsWith("@@") ? paint("cyan", shown, screen) : shown;
}
