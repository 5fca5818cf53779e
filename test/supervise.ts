/**
 * Runs `bun test` as a child and afterwards ends every process it left behind. `tidy-up.ts` starts
 * this program in place of `bun test`. prctl(2) makes it a subreaper, so it inherits every orphan,
 * even one with its own session and environment.
 */
import { FFIType, ptr } from "bun:ffi";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { openLibc } from "./libc.ts";
import { processIds } from "./processes.ts";

const { i32, u64, ptr: pointer } = FFIType;
const libc = openLibc({
  prctl: { args: [i32, u64, u64, u64, u64], returns: i32 },
  waitpid: { args: [i32, pointer, i32], returns: i32 },
});
const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;

libc.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n);
const tests = Bun.spawn([process.execPath, ...process.argv.slice(2)], {
  stdio: ["inherit", "inherit", "inherit"],
  env: { ...process.env, LANDLOCK_TEST_SUPERVISOR: `${process.pid}` },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => tests.kill(signal));

const { promise: ended, resolve } = Promise.withResolvers<number>();
const status = new Int32Array(new ArrayBuffer(4));

/** Whether children are left. Bun may already have collected the tests' exit status. */
function reap(): boolean {
  for (let pid; (pid = libc.waitpid(-1, ptr(status), WNOHANG)) !== 0;) {
    if (pid < 0) return false;
    const signal = status[0]! & 0x7f;
    if (pid === tests.pid) resolve(signal ? 128 + signal : status[0]! >> 8);
  }
  return true;
}
void tests.exited.then((code) =>
  resolve(tests.signalCode ? 128 + constants.signals[tests.signalCode as NodeJS.Signals] : code),
);

// Reaps during the run: a test may wait until a process is gone.
process.on("SIGCHLD", reap);
const missed = setInterval(reap, 20);
const code = await ended;
clearInterval(missed);

/** Name and parent of a process; nothing if it is gone. */
function look(pid: number): { name: string; parent: number } | undefined {
  try {
    const [, name, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").match(/\((.*)\) \S (\d+)/s)!;
    return { name: name!, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

/** Processes that the tests killed may need a moment to end. */
const graceMs = 1000;
const killed = new Map<number, string>();
for (const since = performance.now(); reap(); await Bun.sleep(5)) {
  if (performance.now() - since < graceMs) continue;
  for (const pid of processIds()) {
    const found = look(pid);
    if (found?.parent !== process.pid) continue;
    killed.set(pid, found.name);
    process.kill(pid, "SIGKILL");
  }
}
if (killed.size > 0)
  console.error(`killed what the tests left behind: ${[...killed.values()].join(", ")}`);
process.exit(code);
