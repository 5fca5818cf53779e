/** Makes each system call of the broadcast fail in turn, by asking `cases_faults.c`. */
import { errnoName } from "../../src/errors/errors.ts";
import { errnoOf, errnosOf, numberOf, syscalls } from "./errnos.ts";
import type { Row } from "./matrix.ts";

/** The failing calls of one number: from the first to the last, counted from 1. */
interface Fault {
  readonly syscall: string;
  readonly errno: string;
  readonly first: number;
  readonly last: number;
}

/** More than any case makes, but finite, because the library repeats interrupted calls. */
const all = 100_000;

/** What it needs: the stress program, the library with the shim, and a folder for files. */
export interface Programs {
  readonly stress: string;
  readonly faulty: string;
  readonly folder: string;
}

/** Several cases run at a time, because each mostly waits for threads. */
const atATime = 3;

/** Runs each case in one process and returns the outcomes. */
async function outcomes(programs: Programs, lines: readonly string[]): Promise<string[]> {
  const got: string[] = [];
  const share = async (which: number) => {
    const mine = [...lines.keys()].filter((i) => i % atATime === which);
    const said = await oneByOne(
      programs,
      mine.map((i) => lines[i]!),
    );
    for (const [at, i] of mine.entries()) got[i] = said[at]!;
  };
  await Promise.all(Array.from({ length: atATime }, (_, which) => share(which)));
  return got;
}

async function oneByOne(programs: Programs, lines: readonly string[]): Promise<string[]> {
  const child = Bun.spawn([programs.stress, programs.faulty, "faults"], {
    stdin: new Blob([lines.map((line) => `${line}\n`).join("")]),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, TMPDIR: programs.folder },
  });
  const [said, complaints] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const got = said.trim().split("\n");
  if ((await child.exited) !== 0 || got.length !== lines.length)
    throw new Error(`${got.length} of ${lines.length} cases were run: ${complaints}`);
  if (complaints) console.error(complaints);
  return got;
}

/** How many calls of each number a broadcast makes if none fails. */
async function callsOf(programs: Programs, layers: number): Promise<Map<string, number>> {
  const lines = syscalls.map((syscall) => `${numberOf(syscall)} 0 0 0 ${layers}`);
  const counts = await outcomes(programs, lines);
  return new Map(syscalls.map((syscall, i) => [syscall, Number.parseInt(counts[i]!)]));
}

function* faultsOf(calls: ReadonlyMap<string, number>, most: number): Generator<Fault> {
  for (const [syscall, count] of calls) {
    if (count === 0) continue;
    for (const errno of errnosOf(syscall)) {
      for (let at = 1; at <= Math.min(count, most); at++)
        yield { syscall, errno, first: at, last: at };
      yield { syscall, errno, first: 1, last: all };
    }
  }
}

/**
 * The matrix of the broadcast.
 *
 * @param layers How many layers the process already has, 0 or 1
 * @param most How many calls of a number fail in turn, each alone, before all fail together
 */
export async function broadcastMatrix(
  programs: Programs,
  layers: number,
  most: number,
): Promise<Row[]> {
  const faults = [...faultsOf(await callsOf(programs, layers), most)];
  const lines = faults.map(
    ({ syscall, errno, first, last }) =>
      `${numberOf(syscall)} ${-errnoOf(errno)} ${first} ${last} ${layers}`,
  );
  const got = await outcomes(programs, lines);
  return faults.map(({ syscall, errno, first, last }, i) => ({
    path: layers === 0 ? "restrictSelf, broadcast" : "restrictSelf, next layer",
    syscall,
    errno,
    call: last === all ? "all" : `${first}`,
    outcome: got[i]!.replace(/errno (\d+)/, (_, errno) => errnoName(Number(errno))),
  }));
}
