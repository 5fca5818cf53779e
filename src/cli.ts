/**
 * `landlock-restrict`: runs a command in a sandbox. `src/build/starter.ts` makes its first lines.
 */
import { prepareExec, searchPath } from "./cli/prepare-exec.ts";
import { complain, refusalOf } from "./cli/complain.ts";
import { parseFlags, type Request } from "./cli/flags.ts";
import { describe } from "./cli/describe.ts";
import { passDescriptors } from "./cli/descriptors.ts";
import { explain } from "./cli/explain.ts";
import { learnCommand } from "./cli/learn.ts";
import { dryRun } from "./cli/plan.ts";
import { requireCommand, startOf, type Start } from "./cli/start.ts";
import { statusText } from "./cli/status.ts";
import { helpFor, usage, versionLine } from "./cli/usage.ts";
import { LandlockError, messageFor } from "./errors/errors.ts";
import { lookUpCommand, lookUpFailure } from "./kernel/lookup.ts";
import { unrestricted } from "./kernel/probe.ts";
import { executeError, exitStatusFor } from "./kernel/refused.ts";
import { rewritableText } from "./policy/exposed.ts";
import { build, enforceThread, planHere } from "./sandbox/restrict.ts";
import { writeError, writeOutput } from "./terminal/output.ts";
import { screenOf } from "./terminal/screen.ts";

/** The exit statuses of env(1) and the shells. */
const EXIT_TOOL = 125;
const EXIT_SIGPIPE = 141;

function fail(code: number, message: string): never {
  complain(message);
  process.exit(code);
}

/** Prints requested text. Fails if it can't be written, for example on a full disk. */
function print(text: string): void {
  const failure = writeOutput(`${text}\n`);
  // If a pager quits, programs end with SIGPIPE.
  if (failure === "EPIPE") process.exit(EXIT_SIGPIPE);
  if (failure !== undefined) fail(EXIT_TOOL, `cannot write to standard output: ${failure}`);
}

function main(start: Start): void {
  const { words } = start;
  const [first] = words;
  const help = helpFor(words);
  if (help !== undefined) {
    print(help);
  } else if (first === "--version") {
    print(versionLine);
  } else if (first === "status") {
    const stray = words.slice(1).find((word) => word !== "--json");
    if (stray !== undefined) fail(EXIT_TOOL, `status takes --json, not ${JSON.stringify(stray)}`);
    print(statusText(words.length > 1, screenOf(1)));
  } else if (first === "plan") {
    const { text, refusal } = dryRun(parseFlags(words.slice(1)), screenOf(1));
    print(text);
    if (refusal !== undefined) fail(EXIT_TOOL, refusal);
  } else if (first === "explain") {
    finish(explain(words.slice(1), start));
  } else if (first === "learn") {
    finish(learnCommand(words.slice(1), start));
  } else if (first === undefined) {
    writeError(`${usage}\n`);
    process.exit(EXIT_TOOL);
  } else {
    const request = parseFlags(words);
    try {
      run(request, start);
    } catch (error) {
      refuse(error, request);
    }
  }
}

function run(request: Request, { words, openFiles }: Start): void {
  const { config, rules, verbose, json, environment, command } = request;
  if (json) fail(EXIT_TOOL, "--json needs one of the commands plan, explain, learn and status");
  requireCommand(command);
  const [name] = command;
  const PATH = searchPath(environment, words);
  const path = lookUpCommand(name, PATH);
  if (typeof path === "number") {
    fail(exitStatusFor(path), `cannot execute ${JSON.stringify(name)}: ${lookUpFailure(path)}`);
  }
  const execute = prepareExec(path, words, words.length - command.length, environment, openFiles);
  passDescriptors(request.fds);
  const plan = planHere(config, rules);
  if (verbose) writeError(`${describe(plan, screenOf(2))}\n`);
  if (plan.rewritable.length > 0)
    complain(`careful with this command: ${rewritableText(plan.rewritable)}`);
  if (plan.enforcement === "none") {
    if (!config.allowNone) throw unrestricted("Cannot run the command in a sandbox");
    complain("nothing is restricted: see landlock-restrict status");
  } else {
    enforceThread(build(plan));
  }
  const errno = execute();
  const error = executeError(`cannot execute ${JSON.stringify(path)}`, path, errno);
  fail(exitStatusFor(errno), messageFor(error, "option"));
}

function refuse(error: unknown, request?: Request): never {
  if (error instanceof LandlockError) fail(EXIT_TOOL, refusalOf(error, request));
  // A bug in this program. Bun's own report would show minified code.
  const why = error instanceof Error ? error.message : String(error);
  fail(EXIT_TOOL, `unexpected error: ${why}; please report it`);
}

/** Exits with the status of a watched command. */
function finish(status: Promise<number>): void {
  process.on("uncaughtException", (error) => refuse(error));
  process.on("unhandledRejection", (error) => refuse(error));
  status.then(
    (code) => process.exit(code),
    (error) => refuse(error),
  );
}

try {
  main(startOf(process.argv));
} catch (error) {
  refuse(error);
}
