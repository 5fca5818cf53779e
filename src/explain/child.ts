/** From an ended child to what it was probably denied: it has no error to tell. */
import { basename } from "node:path";
import type { Started } from "../sandbox/layers.ts";
import { programOperations, programPath } from "./granted.ts";
import { machineFiles } from "../model/files.ts";
import type { Operation } from "../model/operation.ts";
import type { Attempt, Reading } from "./attempt.ts";
import { disguised, isScript } from "./disguised.ts";
import { failuresOf } from "./failure.ts";
import { bunNames } from "../vocabulary.ts";

/** A child as Bun or Node hands it out, or the error of one that failed. */
export interface Ended {
  readonly exitCode?: number | null;
  readonly status?: number | null;
  readonly signalCode?: string | null;
  readonly signal?: string | null;
  readonly stderr?: unknown;
  readonly spawnargs?: unknown;
}

/** How it ended, as `"SIGABRT"` or `"exit status 1"`; nothing: it runs. */
export function endOf(child: Ended): string | undefined {
  const signal = child.signalCode ?? child.signal;
  if (typeof signal === "string") return signal;
  const status = child.exitCode ?? child.status;
  // 128 + SIGABRT, where a shell stands in between.
  if (status === 134) return "SIGABRT";
  return typeof status === "number" ? `exit status ${status}` : undefined;
}

/**
 * What would end a command like this: what starting it takes, and for Bun, `/proc`, without which
 * it aborts, and the listing of the current directory.
 *
 * @param end What `endOf()` says
 * @param started What is known of a child that a `Ruleset` started
 */
export function childReading(child: Ended, end: string, started: Started | undefined): Reading {
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
  // Once it has listed the directory, it reads the script there.
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

/** A dynamic loader that cannot read a library says so and ends with 127. */
function starting(program: string, said: string): Attempt {
  const path = programPath(program);
  const operations = programOperations(path);
  return { operations, preset: `executable=${program}`, certain: /shared librar/.test(said) };
}

/**
 * What Bun said that it could not load. The child may have written that itself, so it is uncertain,
 * and about scripts only.
 */
function loadsIn(said: string): Attempt[] {
  const [failure] = failuresOf({ message: said }, {});
  if (!failure || (failure.callee !== "import" && !failure.module)) return [];
  const reading = disguised(failure, machineFiles);
  if (!reading?.path || !isScript(reading.path)) return [];
  return reading.attempts.map((attempt) => ({ ...attempt, certain: false }));
}

/** Of a stream nothing can be told: whoever has it reads it. */
function stderrOf({ stderr }: Ended): string {
  if (typeof stderr === "string") return stderr;
  return stderr instanceof Uint8Array ? new TextDecoder().decode(stderr) : "";
}
