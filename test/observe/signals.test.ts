/** explain and learn pass signals to the command and leave nothing of the run behind. */
import { expect } from "bun:test";
import { constants } from "node:os";
import { cli, patience, tempDir, testUnless } from "../harness.ts";
import { marked, processesOf } from "../processes.ts";
import { missingFor, PATH } from "./explained.ts";

const missing = missingFor(1);

async function until(isSo: () => boolean): Promise<boolean> {
  for (const end = Date.now() + patience(10_000); Date.now() < end; await Bun.sleep(20)) {
    if (isSo()) return true;
  }
  return false;
}

/** A shell waiting for a child that waits for another one. */
const waiting = (mark: string, before = "") => [
  ...["sh", "-c", `${before} sh -c 'sleep ${mark}; :'; :`],
];

const kinds = { explain: ["explain", "-rw", "/"], learn: ["learn", "-o", "policy.toml"] };

/** Starts explain or learn in a session of its own, and waits until the command sleeps. */
async function begin(kind: keyof typeof kinds, mark: string, command: readonly string[]) {
  const child = Bun.spawn([...cli, ...kinds[kind], "--", ...command], {
    stdio: ["ignore", "ignore", "pipe"],
    cwd: tempDir(),
    env: { PATH, HOME: tempDir() },
    detached: true,
  });
  const isAsleep = () => processesOf(mark).some((words) => words.startsWith("sleep"));
  expect(await until(isAsleep)).toBe(true);
  return child;
}

for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const) {
  for (const kind of ["explain", "learn"] as const) {
    const name = `${signal} to ${kind} alone ends the command and leaves nothing`;
    testUnless(missing, name, async () => {
      const mark = marked();
      const child = await begin(kind, mark, waiting(mark));
      child.kill(signal);
      expect(await child.exited).toBe(128 + constants.signals[signal]);
      expect(processesOf(mark)).toEqual([]);
    });
  }
}

testUnless(missing, "timeout(1) ends learn and its command, every time", async () => {
  for (let round = 0; round < 8; round++) {
    const mark = marked();
    const command = ["timeout", "0.5", ...cli, ...kinds.learn, "--", ...waiting(mark)];
    const child = Bun.spawn(command, {
      stdio: ["ignore", "ignore", "pipe"],
      cwd: tempDir(),
      env: { PATH },
    });
    expect(await child.exited).toBe(124);
    expect(await until(() => processesOf(mark).length === 0)).toBe(true);
    expect(await child.stderr.text()).not.toMatch(/ESRCH|error:/);
  }
});

testUnless(missing, "what ignores SIGTERM once the command has ended is killed", async () => {
  const mark = marked();
  const stubborn = `setsid sh -c 'trap "" TERM HUP; sleep ${mark}; :' &`;
  const child = await begin("explain", mark, waiting(mark, stubborn));
  child.kill("SIGTERM");
  expect(await child.exited).toBe(143);
  expect(processesOf(mark)).toEqual([]);
});

testUnless(missing, "a command that ignores a signal goes on, and so does explain", async () => {
  const mark = marked();
  const child = await begin("explain", mark, waiting(mark, "trap '' TERM;"));
  child.kill("SIGTERM");
  await Bun.sleep(patience(300));
  expect([child.exitCode, processesOf(mark).length > 0]).toEqual([null, true]);
  child.kill("SIGKILL");
  expect(await until(() => processesOf(mark).length === 0)).toBe(true);
});

for (const kind of ["explain", "learn"] as const) {
  testUnless(missing, `SIGKILL to ${kind} ends strace and all of the command too`, async () => {
    const mark = marked();
    const child = await begin(kind, mark, waiting(mark, `setsid sleep ${mark} &`));
    child.kill("SIGKILL");
    await child.exited;
    expect(await until(() => processesOf(mark).length === 0)).toBe(true);
  });
}
