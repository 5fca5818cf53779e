/** Starts children when something that spawn() needs is missing. */
import { expect } from "bun:test";
import { join } from "node:path";
import { inSubprocess, kernelAbi, tempDir, testUnless } from "../harness.ts";
import { missingFor, program } from "../program-path.ts";
import { numberOf } from "./errnos.ts";
import type { Fault } from "./preload.ts";

const namespaced = (words: readonly string[]) =>
  Bun.which(words[0]!) !== null && Bun.spawnSync([...words, "true"]).success;
const mounts = ["unshare", "--map-root-user", "--mount"];
const pids = ["unshare", "--map-root-user", "--pid", "--fork"];

function why(prefix: readonly string[]): string {
  return kernelAbi === 0 ? "needs Landlock" : namespaced(prefix) ? "" : "needs unshare";
}

testUnless(why(mounts), "without /proc spawn() is an error that says so", async () => {
  const seen = await inSubprocess(
    {},
    async ({ landlock, roDirs, thrown, outcome }) => {
      using ruleset = landlock.V1.ruleset(roDirs("/"));
      Bun.spawnSync(["mount", "-t", "tmpfs", "none", "/proc"]);
      return {
        error: thrown(() => ruleset.spawnSync(["true"])),
        asynchronous: outcome(() => ruleset.spawn(["true"])),
        plain: Bun.spawnSync(["true"]).exitCode,
      };
    },
    { prefix: mounts },
  );
  expect(seen as object).toEqual({
    error: {
      name: "LandlockError",
      message: "Cannot start the launcher: this process is not in /proc; mount it",
      code: "ERR_LANDLOCK_NATIVE",
      path: "/proc/self",
      processChanged: false,
    },
    asynchronous: "ERR_LANDLOCK_NATIVE",
    plain: 0,
  });
});

testUnless(
  why(pids),
  "with the /proc of another pid namespace spawn() starts its own launcher, nobody else's file",
  async () => {
    const seen = await inSubprocess(
      { denied: join(import.meta.dir, "launch.test.ts") },
      ({ landlock, roDirs, rwFiles }, { denied }) => {
        const system = [roDirs("/usr", "/bin"), roDirs("/lib", "/lib64").ignoreIfMissing()];
        using ruleset = landlock.V1.ruleset(...system, rwFiles("/dev/null"));
        const cat = (file: string) => ruleset.spawnSync(["cat", file]).exitCode;
        return { pid: process.pid, allowed: cat("/usr/bin/env"), denied: cat(denied) };
      },
      { prefix: pids },
    );
    expect(seen).toEqual({ pid: 1, allowed: 0, denied: 1 });
  },
);

const missing = kernelAbi === 0 ? "needs Landlock" : missingFor("faulty.so");
const preload = join(import.meta.dir, "preload.ts");

let compiled: string | undefined;
const faulty = () => (compiled ??= program("faulty.so"));

async function withFault(script: readonly string[], fault: Fault, launcherFault = "") {
  const child = Bun.spawn([process.execPath, "--preload", preload, ...script], {
    stdout: "pipe",
    stderr: "pipe",
    env: {
      ...process.env,
      LANDLOCK_TEST_FAULTY: faulty(),
      LANDLOCK_TEST_FAULT: JSON.stringify(fault),
      LAUNCHER_FAULT: launcherFault,
    },
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { stdout, stderr, exitCode: await child.exited };
}

testUnless(
  missing,
  "a launcher's refusal is heard though a signal interrupts the wait",
  async () => {
    const EINTR = 4;
    const script = `
    import { landlock, roDirs } from ${JSON.stringify(join(import.meta.dir, "../../src/index.ts"))};
    try {
      console.log(landlock.V1.ruleset(roDirs("/")).spawnSync(["true"]).exitCode);
    } catch (error) {
      console.log(error.code, error.syscall, error.errnoName);
    }`;
    const file = join(tempDir(), "spawn.ts");
    await Bun.write(file, script);
    const interrupted = { number: numberOf("read"), result: -EINTR, first: 1, last: 3 };
    const refusal = `${numberOf("landlock_restrict_self")},12,1,1,`;
    expect(await withFault([file], interrupted)).toMatchObject({ stdout: "0\n" });
    expect(await withFault([file], interrupted, refusal)).toMatchObject({
      stdout: "ERR_LANDLOCK_SYSCALL landlock_restrict_self ENOMEM\n",
    });
  },
);

testUnless(
  missing,
  "open files stay behind though a filter does not know close_range",
  async () => {
    const ENOSYS = 38;
    const cli = join(import.meta.dir, "../../src/cli.ts");
    const list = ["-ro", "/", "--", "sh", "-c", "for fd in 3 7 8; do (: <&$fd) && echo $fd; done"];
    const words = [process.execPath, "--preload", preload, cli];
    const run = (first: number, more: readonly string[]) => {
      const shell = ["sh", "-c", 'exec "$@" 3</dev/null 7</dev/null 8</dev/null', "sh"];
      const fault = { number: numberOf("close_range"), result: -ENOSYS, first, last: 9 };
      return Bun.spawnSync([...shell, ...words, ...more, ...list], {
        env: {
          ...process.env,
          LANDLOCK_TEST_FAULTY: faulty(),
          LANDLOCK_TEST_FAULT: JSON.stringify(fault),
        },
      }).stdout.toString();
    };
    expect(run(0, [])).toBe("");
    expect(run(0, ["-fd", "7"])).toBe("7\n");
    expect(run(1, [])).toBe("");
    expect(run(1, ["-fd", "7"])).toBe("7\n");
  },
);

testUnless(
  why(mounts),
  "a /proc that is no procfs is none: its files could be anybody's",
  async () => {
    const seen = await inSubprocess(
      {},
      async ({ landlock, thrown }) => {
        const { mkdirSync, symlinkSync } = await import("node:fs");
        using ruleset = landlock.config({ fs: ["make_sock"] }).ruleset();
        Bun.spawnSync(["mount", "-t", "tmpfs", "none", "/proc"]);
        mkdirSync("/proc/1/fd", { recursive: true });
        symlinkSync("1", "/proc/self");
        return thrown(() => ruleset.spawnSync(["/bin/true"]))?.["message"];
      },
      { prefix: mounts },
    );
    expect(seen).toBe("Cannot start the launcher: this process is not in /proc; mount it");
  },
);
