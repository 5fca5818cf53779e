/** Threads that /proc does not list, in a process whose system calls a tracer slows or answers. */
import { expect } from "bun:test";
import { inSubprocess, kernelAbi, testUnless } from "../harness.ts";
import { covered, restrictWith, unlisted } from "../threads/proc.ts";

const tracer = ["strace", "-f", "-qq", "-o", "/dev/null"];
const missing =
  Bun.which("strace") && Bun.spawnSync([...tracer, "true"]).success ? "" : "needs strace";

testUnless(
  kernelAbi === 0 ? "needs Landlock" : missing,
  "restrict() reaches all threads with a /proc that may not be listed, under a tracer",
  async () => {
    expect(await restrictWith([...unlisted, ...tracer], [])).toEqual({
      before: { task: "EACCES", listsMain: "EACCES", files: ["ok", "ok"] },
      ...covered,
    });
  },
  60_000,
);

const noSearch = [...tracer, "-e", "inject=tgkill:error=EPERM"];

testUnless(
  kernelAbi === 0 || kernelAbi >= 8
    ? `for Landlock ABI 1 to 7, this kernel has ${kernelAbi}`
    : missing,
  "if threads can neither be listed nor asked for, nothing is restricted, and why",
  async () => {
    const seen = await inSubprocess(
      {},
      async ({ landlock, outcome, thrown }) => {
        const { readdirSync } = await import("node:fs");
        const error = thrown(() => landlock.V1.restrictPaths());
        return { error, then: outcome(() => readdirSync("/usr")) };
      },
      { prefix: [...unlisted, ...noSearch] },
    );
    expect(seen as object).toEqual({
      error: {
        name: "LandlockError",
        message:
          "Not all threads could be found: EPERM, so nothing was restricted: let this process list /proc/self/task, and call again",
        code: "ERR_LANDLOCK_THREADS_UNREACHABLE",
        syscall: "tgkill",
        errno: 1,
        errnoName: "EPERM",
        processChanged: false,
      },
      then: "ok",
    });
  },
);
