/** Derives what an ended child was probably denied. There is no error that tells. */
import { basename } from "node:path";
import type { Started } from "../sandbox/layers.ts";
import { programOperations, programPath } from "./granted.ts";
import { machineFiles } from "../model/files.ts";
import type { Operation } from "../model/operation.ts";
import type { Attempt, Hypotheses } from "./attempt.ts";
import { disguised, isScript } from "./disguised.ts";
import { failuresOf } from "./failure.ts";
import { bunNames } from "../vocabulary.ts";

/** A child of Bun or Node, or the error of one that failed. */
export interface Ended {
  readonly exitCode?: number | null;
  readonly status?: number | null;
  readonly signalCode?: string | null;
  readonly signal?: string | null;
  readonly stderr?: unknown;
  readonly spawnargs?: unknown;
}

/** How the child ended, such as `"SIGABRT"` or `"exit status 1"`. Undefined while it runs. */
export function endOf(child: Ended): string | undefined {
  const signal = child.signalCode ?? child.signal;
  if (typeof signal === "string") return signal;
  const status = child.exitCode ?? child.status;
  // 128 + SIGABRT, the status of a shell whose command aborted.
  if (status === 134) return "SIGABRT";
  return typeof status === "number" ? `exit status ${status}` : undefined;
}

/**
 * What could end such a command: anything that its start needs and, for Bun, `/proc`, without which
 * it aborts, and the listing of the current directory.
 *
 * @param end The result of `endOf()`
 * @param started The record of a child that a `Ruleset` started
 */
export function childHypotheses(
  child: Ended,
  end: string,
  started: Started | undefined,
): Hypotheses {
  const { spawnargs } = child;
  const [program] = started?.command ?? (Array.isArray(spawnargs) ? spawnargs.map(String) : []);
  const cwd = started?.cwd ?? ".";
  const said = stderrOf(child);
  const isBun =
    program === undefined
      ? undefined
      : bunNames.test(basename(program)) || program === process.execPath;
  const attempts: Attempt[] = [];
  const proc: Operation = { kind: "access", path: "/proc", access: ["read_file"] };
  // Bun lists the directory, then reads the script in it.
  const list: Operation = { kind: "access", path: cwd, access: ["read_file", "read_dir"] };
  const here = cwd === "." ? { preset: "cwd" } : {};
  const loads = isBun === false || end !== "exit status 1" ? [] : loadsIn(said);
  if (loads.length > 0) attempts.push(...loads);
  else if (/CouldntReadCurrentDirectory/.test(said)) attempts.push({ operations: [list], ...here });
  else if (end === "SIGABRT" && isBun !== false) {
    attempts.push({ operations: [proc], preset: "bun=children", certain: isBun === true });
  } else if (end !== "exit status 0") {
    if (program !== undefined) attempts.push(starting(program, said));
    if (isBun) attempts.push({ operations: [list], ...here, certain: false });
  }
  return { attempts, path: undefined };
}

/** A dynamic loader reports a library that it can't read, and exits with 127. */
function starting(program: string, said: string): Attempt {
  const path = programPath(program);
  const operations = programOperations(path);
  return { operations, preset: `executable=${program}`, certain: /shared librar/.test(said) };
}

/**
 * The files that Bun's message says it could not load. The child may have written that message
 * itself, so this is uncertain and only applies to scripts.
 */
function loadsIn(said: string): Attempt[] {
  const [failure] = failuresOf({ message: said }, {});
  if (!failure || (failure.callee !== "import" && !failure.module)) return [];
  const hypotheses = disguised(failure, machineFiles);
  if (!hypotheses?.path || !isScript(hypotheses.path)) return [];
  return hypotheses.attempts.map((attempt) => ({ ...attempt, certain: false }));
}

/** The child's standard error, if the caller collected it. A stream belongs to its reader. */
function stderrOf({ stderr }: Ended): string {
  if (typeof stderr === "string") return stderr;
  return stderr instanceof Uint8Array ? new TextDecoder().decode(stderr) : "";
}
