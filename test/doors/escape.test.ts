/** What a sandboxed command writes must not run or decide anything when the next one starts. */
import { beforeAll, describe, expect } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { patience, tempDir, testFromAbi } from "../harness.ts";
import { installPacked } from "../packed.ts";
import { policyFor } from "./entries.ts";
import { makeScene, takeMarks } from "./scene.ts";
import { kits } from "./traps.ts";

let installed = "";
beforeAll(async () => {
  installed = await installPacked();
}, patience(60_000));

const system = ["/usr", "/bin", "/lib", "/lib64", "/etc"].filter((path) => existsSync(path));

describe("a command that may write the current directory gains nothing in the next run, by", () => {
  for (const { name, traps } of kits) {
    testFromAbi(1, name, async () => {
      const scene = makeScene(installed);
      const { cwd } = scene.folders;
      const run = (command: readonly string[]) => {
        const options = { cwd, env: scene.env, timeout: patience(20_000) };
        const { stdout, stderr, exitCode } = Bun.spawnSync([...command], options);
        return { stdout: `${stdout}`, stderr: `${stderr}`, code: exitCode };
      };
      const tool = join(scene.project, "node_modules/.bin/landlock-restrict");
      const restricted = (...words: string[]) =>
        run([tool, "-ro", ...system, "-rwfiles", "/dev/null", ...words]);
      const secret = join(tempDir(), "secret");
      writeFileSync(secret, "secret\n");
      expect(run(["/bin/cat", secret]).stdout).toBe("secret\n");

      const planted = join(scene.root, "planted");
      for (const trap of traps) {
        trap.plant({ folder: planted, mark: join(scene.marks, trap.name), scripts: [] });
      }
      const copy = ["/bin/cp", "-R", `${planted}/.`, "."];
      const first = restricted("-ro", planted, "-rw", ".", "--", ...copy);
      expect(first).toEqual({ stdout: "", stderr: "", code: 0 });
      const second = restricted("-ro", ".", "--", "/bin/cat", secret);
      expect(second).toMatchObject({ stdout: "", code: 1 });
      expect(second.stderr).toBe(`/bin/cat: ${secret}: Permission denied\n`);
      expect(takeMarks(scene)).toEqual([]);

      writeFileSync(join(cwd, "script.js"), "");
      run([tool, "-policy", policyFor(scene), "--", "bun", "./script.js"]);
      expect(takeMarks(scene)).toEqual([]);
      const { stdout } = run(["/bin/sh", "-c", traps[0]!.canary]);
      expect(takeMarks(scene).length > 0 || stdout.includes("DOOR_")).toBe(true);
    });
  }
});
