/** Tests the native library from C under both libcs: stress.c and the cases_*.c. */
import { beforeAll, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { kernelAbi, patience, tempDir, testUnless } from "../harness.ts";
import { missingFor, program } from "../program-path.ts";

const cases = {
  basic: "0 to 1,000 threads that wait in all kinds of calls are confined, and go on",
  churn: "no thread that comes or goes during the broadcast escapes",
  layers: "16 layers hold on every thread, and the 17th is refused with nothing changed",
  "two-callers": "two and eight threads that enforce at the same time all get their layer",
  altstack: "small and alternate stacks suffice for the handler",
  "slow-ruleset": "a ruleset that takes longer to copy than the deadline reaches every thread",
  "short-deadline": "a deadline that is too short costs the call, never the sandbox",
  paused: "a process that is stopped in the middle and goes on is confined all the same",
  starved: "a thread that is ready to run and gets no CPU is waited for",
  "nnp-unchanged": "a refused ruleset leaves no_new_privs unset on every thread",
  sigpending: "a full signal queue is waited for, and changes nothing when it stays full",
  diverged: "a thread that cannot take another layer is named, and the change is admitted",
  blocked: "a thread that blocks every signal is named, and nothing has changed",
  "blocks-33": "a signal that a thread blocks is not used",
  transient: "threads that block every signal for moments are confined",
  "vfork-child": "a thread inside vfork() is waited for until the deadline",
  "late-signal": "a signal that arrives one call late does not park or kill",
  "late-thread":
    "a thread that loses its CPU anywhere in the handler answers for its own call only",
  stopped: "a thread that a debugger holds is named, and nothing has changed",
  "foreign-signal": "signals of the application reach its own handler, and none of ours does",
  suspended: "a thread that a collector has suspended is confined, and stays suspended",
  collector: "nor does it go on when that happens in the middle of a broadcast",
  "caller-suspended": "a collector that suspends the caller all the time does not block the call",
  "setuid-broadcast": "libc's own broadcast and ours do not block each other",
  "leader-exited": "a main thread that has exited is not waited for",
  "leader-exited-no-proc": "nor is it once a ruleset covers /proc",
  "second-layer-no-proc": "more layers follow a ruleset that denies /proc",
  descriptors: "no call leaves a descriptor open but one, that of the list of threads",
  "kept-descriptor":
    "a second layer lists the threads by it, and survives that somebody closes or reuses it",
  "reused-thread-id": "a thread id that comes back within one call is a new thread",
  "dead-proc": "without /proc every thread is found",
  "foreign-proc": "the /proc of another pid namespace fools nobody",
  "nested-pid-namespace": "nor does a parent with the same process id",
  "unlisted-proc": "threads that may be counted and not be listed are found next to one another",
  "vain-search": "a search for threads that is slow or forbidden ends, and nothing has changed",
  "io-worker": "a worker of io_uring is named, and nothing has changed",
  "io-poller": "nor can io_uring's polling thread be confined, until its ring is closed",
  "io-born-worker": "no call succeeds beside a worker that io_uring made in the middle of it",
  storm: "threads that signals interrupt all the time are confined",
  fork: "a child forked in the middle of a broadcast can restrict its own threads",
  "fork-same-pid":
    "a child with its parent's process id can restrict itself during the parent's call",
  execve: "a program gets default signals, its limit, its arguments and its environment",
  launcher: "the library run as a program starts a restricted command, or says why not",
} as const;

const library = join(
  import.meta.dir,
  `../../lib/prebuilt/linux-${process.arch === "arm64" ? "arm64" : "x64"}/liblandlock.so`,
);
const churnRuns = Number(process.env["LANDLOCK_CHURN_RUNS"] ?? 20);
/** Far more than the slowest case takes on a loaded machine with two CPUs. */
const caseMs = 120_000;
const skippedCode = 77;

for (const libc of ["glibc", "musl"] as const) {
  const missing = process.env["CI"] ? "" : missingFor(`stress-${libc}`);
  // It works there too, but an emulated machine would need ten minutes for a case nobody uses.
  const needless = kernelAbi >= 8 && process.env["LANDLOCK_TEST_PROGRAMS"] !== undefined;
  const newer = needless ? `for Landlock ABI 1 to 7, this kernel has ${kernelAbi}` : missing;
  const why = kernelAbi === 0 ? "needs Landlock" : newer;

  let folder = "";
  let stress = "";

  beforeAll(() => {
    if (why) return;
    folder = tempDir();
    // Some cases continue as another user.
    chmodSync(folder, 0o755);
    stress = program(`stress-${libc}`);
  }, caseMs);

  const run = async (name: string, sentence: string): Promise<void> => {
    const child = Bun.spawn([stress, library, name], {
      env: { ...process.env, TMPDIR: folder },
      stdout: "ignore",
      stderr: "pipe",
      timeout: patience(caseMs),
      // A process whose threads are all parked reacts to nothing else.
      killSignal: "SIGKILL",
    });
    const said = (await child.stderr.text()).trim();
    const code = await child.exited;
    // test/kernels reads this line, since Bun cannot skip a test that has begun.
    if (code === skippedCode) console.warn(`not applicable: ${libc}: ${sentence}: ${said}`);
    else if (code !== 0) throw new Error(`${name} ended with ${child.signalCode ?? code}\n${said}`);
  };

  for (const [name, sentence] of Object.entries(cases)) {
    const title = `${libc}: ${sentence}`;
    testUnless(why, title, () => run(name, sentence), caseMs + 5000);
  }

  testUnless(
    why,
    `${libc}: nor does one in many runs of the same`,
    async () => {
      for (let i = 0; i < churnRuns; i++) await run("churn", cases.churn);
    },
    caseMs * Math.max(churnRuns, 1),
  );
}

test("every case that stress.h names has a test", async () => {
  const header = await Bun.file(join(import.meta.dir, "stress.h")).text();
  const named = [...header.matchAll(/X\(\w+, "([^"]+)"\)/g)].map((match) => match[1]!);
  // test/faults feeds this one its faults.
  expect([...Object.keys(cases), "faults"].sort()).toEqual(named.sort());
});
