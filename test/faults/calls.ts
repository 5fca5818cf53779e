/** Makes each system call between the API and the kernel fail in turn. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, errnosOf, numberOf } from "./errnos.ts";
import type { Answer, Path, Request } from "./inside.ts";
import type { Row } from "./matrix.ts";
import type { Fault } from "./preload.ts";

/** The library with the shim, and a folder for files. */
export interface Place {
  readonly faulty: string;
  readonly folder: string;
}

/** One fault and its name in the table. */
interface Named extends Fault {
  readonly syscall: string;
  readonly errno: string;
}

/** The calls of each path; the broadcast has its own matrix. */
const calls: Readonly<Record<Path, readonly string[]>> = {
  probe: ["landlock_create_ruleset"],
  build: ["landlock_create_ruleset", "landlock_add_rule", "openat", "close"],
  restrict: ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "prctl"],
  spawnSync: [
    ...["statfs", "prctl", "readlinkat", "memfd_create", "write", "fcntl", "eventfd2", "read"],
  ],
  spawn: [
    ...["statfs", "prctl", "readlinkat", "memfd_create", "write", "fcntl", "pipe2", "read"],
    ...["close"],
  ],
};

/** The launcher's calls, in the child. */
const launcherCalls = ["fcntl", "prctl", "landlock_restrict_self", "close", "execve"];

/** The calls of `landlock-restrict`. */
const cliCalls = [
  ...["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "prctl"],
  ...["openat", "read", "close", "close_range", "prlimit64", "rt_sigaction", "execve"],
];

const preload = join(import.meta.dir, "preload.ts");
const none: Fault = { number: 0, result: 0, first: 0, last: 0 };

function environment(place: Place, more: Record<string, string> = {}) {
  return { ...process.env, LANDLOCK_TEST_FAULTY: place.faulty, ...more };
}

async function start(place: Place, words: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, "--preload", preload, ...words], {
    stdout: "pipe",
    stderr: "pipe",
    env: environment(place, env),
    cwd: "/",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { stdout, stderr, exitCode: await child.exited };
}

/** Gives faults to a process, the rest to another one, and so on. */
async function ask(
  place: Place,
  path: Path,
  faults: readonly Fault[],
  env?: Record<string, string>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < faults.length) {
    const folder = mkdtempSync(join(place.folder, "case-"));
    const request: Request = { path, folder, faults: faults.slice(answers.length) };
    const words = [join(import.meta.dir, "inside.ts"), JSON.stringify(request)];
    const { stdout, stderr } = await start(place, words, env);
    const got = stdout.split("\n").filter((line) => line.startsWith("{"));
    if (got.length === 0) throw new Error(`no answer: ${stdout}${stderr}`);
    answers.push(...got.map((line) => JSON.parse(line) as Answer));
  }
  return answers;
}

/**
 * Every errno of the first call of a number; if `whole`, of each call and of all together.
 */
function named(syscalls: readonly string[], seen: readonly number[], whole: boolean): Named[] {
  return syscalls.flatMap((syscall, at) =>
    errnosOf(syscall).flatMap((errno): Named[] => {
      const fault = { syscall, errno, number: numberOf(syscall), result: -errnoOf(errno) };
      const count = whole ? seen[at]! : 1;
      const single = Array.from({ length: count }, (_, i) => ({ first: i + 1, last: i + 1 }));
      const spans = whole ? [...single, { first: 1, last: 100_000 }] : single;
      return spans.map((span) => ({ ...fault, ...span }));
    }),
  );
}

function row(path: string, { syscall, errno, first, last }: Named, outcome: string): Row {
  return { path, syscall, errno, call: first === last ? `${first}` : "all", outcome };
}

/** Two at a time, because each case mostly waits for a process to start. */
async function twoByTwo<T, R>(all: readonly T[], run: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...all.entries()];
  const worker = async () => {
    for (let next; (next = queue.shift());) results[next[0]] = await run(next[1]);
  };
  await Promise.all([worker(), worker()]);
  return results;
}

/**
 * The matrix of one path.
 *
 * @param whole Whether each call of a number fails in turn, instead of the first only
 */
export async function callsMatrix(place: Place, path: Path, whole: boolean): Promise<Row[]> {
  // A process with the launcher already in memory skips the calls that load it.
  const alone = path.startsWith("spawn");
  const askAll = async (faults: readonly Fault[]) =>
    alone
      ? (await twoByTwo(faults, (fault) => ask(place, path, [fault]))).flat()
      : ask(place, path, faults);
  const unharmed = calls[path].map((syscall) => ({ ...none, number: numberOf(syscall) }));
  const counts = whole ? (await askAll(unharmed)).map(({ seen }) => seen) : [];
  const faults = named(calls[path], counts, whole);
  const answers = await askAll(faults);
  return faults.map((fault, i) => row(path, fault, answers[i]!.outcome));
}

/** The launcher's matrix, as its parent sees it. */
export async function launcherMatrix(place: Place, path: "spawn" | "spawnSync"): Promise<Row[]> {
  const faults = named(launcherCalls, [], false);
  return twoByTwo(faults, async (fault) => {
    const text = [fault.number, -fault.result, 1, 1].map((value) => `${value},`).join("");
    const [answer] = await ask(place, path, [none], { LAUNCHER_FAULT: text });
    return row(`${path}, in the child`, fault, answer!.outcome);
  });
}

/** An upper limit, because `landlock-restrict` cannot report afterwards how many calls it made. */
const cliCallsMost = 12;

export async function cliMatrix(place: Place, whole: boolean): Promise<Row[]> {
  const cli = join(import.meta.dir, "../../src/cli.ts");
  const counts = cliCalls.map(() => cliCallsMost);
  const faults = named(cliCalls, counts, whole);
  return twoByTwo(faults, async (fault) => {
    const folder = mkdtempSync(join(place.folder, "case-"));
    const denied = join(import.meta.dir, "calls.ts");
    const script = `echo ran; (: <${denied}) 2>/dev/null && echo escaped; :`;
    const grants = ["-ro", "/usr", "/bin", "/lib", "-rw", folder, "/dev/null"];
    const words = [cli, ...grants, "--", "/bin/sh", "-c", script];
    const done = await start(place, words, { LANDLOCK_TEST_FAULT: JSON.stringify(fault) });
    const said = done.stderr.startsWith("landlock-restrict: ") ? "says why" : "";
    const outcome = {
      "": said ? `exit code ${done.exitCode}, ${said}, the command did not run` : "BROKEN: silent",
      "ran\n": "the command ran restricted",
    }[done.stdout];
    return row("landlock-restrict", fault, outcome || `BROKEN: ${done.stdout}${done.stderr}`);
  });
}
