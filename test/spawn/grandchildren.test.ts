/** What the manual says about processes that a command leaves behind. */
import { expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { landlock, roDirs, rwDirs, rwFiles } from "../../src/index.ts";
import { patience, tempDir, testFromAbi } from "../harness.ts";

const manual = readFileSync(join(import.meta.dir, "../../src/sandbox/README.md"), "utf8");
const system = [roDirs("/"), rwFiles("/dev/null")];

/** Prints `up`, and starts a process in its own session that holds its standard output. */
const script = "echo up; setsid sleep 20 & echo $! >pid; exec sleep 20";

/** Kills what has left the process group, which only an outsider can do. */
function end(folder: string): void {
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  process.kill(pid, "SIGKILL");
}

async function took(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

testFromAbi(
  1,
  "after a timeout, a reader that is cancelled does not wait for a grandchild, and neither does a file",
  async () => {
    const folder = tempDir();
    using ruleset = landlock.V1.ruleset(...system, rwDirs(folder));
    const options = { cwd: folder, timeout: 500 };
    const ms = await took(async () => {
      const child = ruleset.spawn(["sh", "-c", script], options);
      const reader = child.stdout.getReader();
      void child.exited.then(() => reader.cancel());
      let text = "";
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        text += new TextDecoder().decode(next.value);
      }
      expect([text, child.signalCode]).toEqual(["up\n", "SIGTERM"]);
    });
    end(folder);
    const inFile = await took(async () => {
      const stdout = Bun.file(join(folder, "out"));
      await ruleset.spawn(["sh", "-c", script], { ...options, stdout }).exited;
      expect(await stdout.text()).toBe("up\n");
    });
    end(folder);
    expect(Math.max(ms, inFile)).toBeLessThan(patience(8000));
    expect(manual.replace(/\s+/g, " ")).toContain("Cancel the reader when `child.exited` settles");
  },
);

testFromAbi(1, "killing the group, as the manual spells it, ends a grandchild", async () => {
  const [kill] = /process\.kill\(-.+?\)(?=`)/.exec(manual)!;
  const folder = tempDir();
  using ruleset = landlock.V1.ruleset(...system, rwDirs(folder));
  const command = ["sh", "-c", "sleep 20 & echo $! >pid; echo up; wait"];
  const child = ruleset.spawn(command, { cwd: folder, detached: true });
  const reader = child.stdout.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe("up\n");
  const pid = readFileSync(join(folder, "pid"), "utf8").trim();
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  new Function("child", kill)(child);
  expect((await reader.read()).done).toBe(true);
  expect(await child.exited).toBe(137);
});
