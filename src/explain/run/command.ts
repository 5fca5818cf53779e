/**
 * `landlock-restrict explain`: reports what was denied to a command, and which options would allow
 * it. With `--until-it-works` it adds them and runs the command again.
 */
import { governingText, reasonText } from "../../advise/judgement.ts";
import { printable } from "../../errors/errors.ts";
import { isWithin } from "../../kernel/names.ts";
import { listOption } from "../../vocabulary.ts";
import type { Ending } from "../../trace/observation.ts";
import { writeError } from "../../terminal/output.ts";
import { screenOf } from "../../terminal/screen.ts";
import { pasteable } from "../../terminal/text.ts";
import { joinFlags } from "./combine.ts";
import { findingsJson, findingsText, type Findings } from "./findings.ts";
import { watchRun, type ExplainRequest } from "./watch.ts";

/** How to explain. */
interface ExplainOptions {
  /** Whether to print the findings as JSON. */
  readonly json: boolean;
  /** Whether the rules come from a policy, to which lines could be added. */
  readonly inPolicy: boolean;
  /** Whether to repeat the command with the advised options until it works. */
  readonly untilItWorks: boolean;
}

/** The result of all runs. */
interface Explained {
  /** How the last one ended. */
  readonly ending: Ending;
  /** The options that were added. */
  readonly added: readonly string[];
  /** Whether the command began, and the trace can't be forged. */
  readonly isCredible: boolean;
}

/** The maximum number of runs. */
const runsMax = 20;

/** Signals with which people stop a command, and the statuses that shells derive from them. */
const stops: readonly (string | number | null)[] = ["SIGINT", "SIGTERM", "SIGHUP", 129, 130, 143];

/**
 * Runs the command once, or until it works or no advice is left, and writes the final denials to
 * standard error. It never adds what isn't advised.
 *
 * @param requestFor Returns the request for a run with these options added
 * @throws {LandlockError} The same errors as `watchRun()`
 */
export async function explainRun(
  requestFor: (added: readonly string[]) => ExplainRequest,
  options: ExplainOptions,
): Promise<Explained> {
  let added: readonly string[] = [];
  for (let run = 1; ; run++) {
    const { ending, findings, opened = [] } = await watchRun(requestFor(added));
    const { exitCode, signal } = ending;
    const more = findings?.advice.safe ?? [];
    const next = together(added, more);
    const isNew = next.join("\0") !== added.join("\0");
    const isCredible = findings !== undefined && !findings.isForged;
    const isLast = exitCode === 0 || run === runsMax || !isNew || !isCredible;
    if (!options.untilItWorks || isLast || stops.includes(signal ?? exitCode)) {
      const kept = options.untilItWorks ? without(added, opened) : added;
      const noted = openedNotes(
        opened.filter((path) => added.includes(path)),
        kept,
      );
      if (findings) {
        const notes = [...findings.notes, ...noted];
        report({ ...findings, notes }, options, run, kept);
      }
      return { ending, added: kept, isCredible };
    }
    const how = signal === null ? `with status ${exitCode}` : `by ${signal}`;
    const adds = `adding ${pasteable(more)}`;
    if (!options.json) writeError(`landlock-restrict: run ${run} ended ${how}; ${adds}\n`);
    added = next;
  }
}

/** For some options, those that grant at least as much. */
const covering: Readonly<Record<string, readonly string[]>> = {
  [listOption]: ["-ro", "-rw"],
  "-rofiles": ["-ro", "-rw"],
  "-ro": ["-rw"],
  "-rwfiles": ["-rw"],
};

/**
 * Removes paths in which a run has made files that decide what runs later. A directory that a rule
 * makes stays, because its whole content is the run's own.
 */
function without(words: readonly string[], opened: readonly string[]): readonly string[] {
  const groups = groupsOf(words).map(([option = "", ...values]) => {
    if (values.includes("+create_missing")) return [option, ...values];
    return [option, ...values.filter((value) => !opened.includes(value))];
  });
  return joinFlags(groups);
}

function openedNotes(opened: readonly string[], kept: readonly string[]): string[] {
  const [stay, removed] = [true, false].map((isKept) =>
    opened.filter((path) => kept.includes(path) === isKept),
  );
  return [
    ...(removed!.length > 0
      ? [`No longer advised: ${reasonText("governing")}: ${printable(removed!.join(", "))}.`]
      : []),
    ...(stay!.length > 0 ? [`${governingText}: ${printable(stay!.join(", "))}.`] : []),
  ];
}

/** Each option with its values. */
function groupsOf(words: readonly string[]): string[][] {
  const groups: string[][] = [];
  for (const word of words) {
    if (word.startsWith("-")) groups.push([word]);
    else groups.at(-1)!.push(word);
  }
  return groups;
}

/**
 * Adds options to others. Drops repeated options and values, and paths that a directory above
 * covers.
 */
function together(words: readonly string[], more: readonly string[]): readonly string[] {
  const groups = groupsOf([...words, ...more]);
  const isCovered = (option: string, path: string) =>
    groups.some(([other, ...folders]) =>
      covering[option]?.includes(other!) ? folders.some((one) => isWithin(path, one)) : false,
    );
  return joinFlags(
    groups.map(([option = "", ...values]) =>
      values.some((value) => value.startsWith("+"))
        ? [option, ...values]
        : [option, ...values.filter((path) => !isCovered(option, path))],
    ),
  );
}

function report(
  findings: Findings,
  { json, inPolicy, untilItWorks }: ExplainOptions,
  runs: number,
  added: readonly string[],
): void {
  const more = untilItWorks ? { runs, added } : {};
  const text = json
    ? findingsJson(findings, more)
    : `\n${findingsText(findings, screenOf(2), inPolicy)}`;
  writeError(`${text}\n`);
}
