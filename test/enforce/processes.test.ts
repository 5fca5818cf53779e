/** What Landlock denies without a right of its own: other processes' memory, and mounts. */
import { expect } from "bun:test";
import { inSubprocess, kernelAbi, tempDir, testFromAbi, testUnless } from "../harness.ts";

testFromAbi(1, "an older child cannot be debugged once this process is restricted", async () => {
  const seen = await inSubprocess({}, async ({ landlock, outcome, roDirs, rwDirs }) => {
    const { closeSync, openSync, readFileSync } = await import("node:fs");
    const start = () => Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
    // Opening it takes what attaching with ptrace(2) takes: proc_pid_mem(5).
    const debug = (pid: number | "self") =>
      outcome(() => closeSync(openSync(`/proc/${pid}/mem`, "r+")));
    const older = start();
    const before = debug(older.pid);
    landlock.V1.restrictPaths(roDirs("/"), rwDirs("/proc", "/dev"));
    const younger = start();
    const status = outcome(() => readFileSync(`/proc/${older.pid}/status`));
    const after = { older: debug(older.pid), younger: debug(younger.pid), self: debug("self") };
    for (const child of [older, younger]) child.kill("SIGKILL");
    return { before, status, after };
  });
  expect(seen).toEqual({
    before: "ok",
    status: "ok",
    after: { older: "EACCES", younger: "ok", self: "ok" },
  });
});

/** A mount namespace of its own, so that nothing of this machine is mounted over. */
const unshare = ["unshare", "--mount"];

function missingToMount(): string {
  if (kernelAbi < 1) return "needs Landlock";
  if (process.getuid?.() !== 0) return "needs root: others may not mount";
  const able = Bun.which("unshare") !== null && Bun.spawnSync([...unshare, "true"]).success;
  return able ? "" : "needs to be allowed to mount";
}

testUnless(
  missingToMount(),
  "root cannot mount once paths are restricted, whatever is granted",
  async () => {
    const folder = tempDir();
    const seen = await inSubprocess(
      { folder, unshare },
      async ({ landlock, rwDirs }, { folder, unshare }) => {
        const script = `mount -t tmpfs none ${folder} && umount ${folder}`;
        const mount = () => Bun.spawnSync([...unshare, "sh", "-c", script], { stderr: "pipe" });
        const before = mount();
        landlock.V11.bestEffort().restrictPaths(rwDirs("/"));
        const after = mount();
        const list = Bun.spawnSync(["ls", folder]).exitCode;
        return { before: `${before.stderr}`, after: `${after.stderr}`, code: after.exitCode, list };
      },
    );
    expect(seen.before).toBe("");
    expect(seen.after).toMatch(/not permitted|permission denied/i);
    expect(seen.code).not.toBe(0);
    expect(seen.list).toBe(0);
  },
);
