/**
 * Runs `bun test` as a child, and ends every process that it leaves behind, however it ends itself:
 * `tidy-up.ts` puts this program in the place of each `bun test`. What loses its parent becomes a
 * child of this process, since prctl(2) makes it a subreaper: even a process with a session and an
 * environment of its own is found.
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

/** Whether there are children left. Bun may have taken the status of the tests before. */
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

// A test may wait until a process is gone, which it is once somebody has asked for its status.
process.on("SIGCHLD", reap);
const missed = setInterval(reap, 20);
const code = await ended;
clearInterval(missed);

/** Name and parent of a process, or nothing if it is gone. */
function look(pid: number): { name: string; parent: number } | undefined {
  try {
    const [, name, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").match(/\((.*)\) \S (\d+)/s)!;
    return { name: name!, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

/** What the tests have killed may take a moment to end. */
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
