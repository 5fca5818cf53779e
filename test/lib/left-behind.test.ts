/** A case that is killed halfway takes all its processes with it. */
import { expect } from "bun:test";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { kernelAbi, patience, tempDir, testUnless } from "../harness.ts";
import { processesOf } from "../processes.ts";
import { missingFor, program } from "../program-path.ts";
import { nativePath } from "../../src/kernel/image.ts";

const missing = kernelAbi === 0 ? "needs Landlock" : missingFor("stress-glibc");
const header = readFileSync(join(import.meta.dir, "stress.h"), "utf8");
const cases = [...header.matchAll(/X\(\w+, "([^"]+)"\)/g)].map((match) => match[1]!);

/** When to kill it, in milliseconds: by the later time most have started their processes. */
const moments = [20, 250];
/** By then every orphan has had CPU time to end. */
const goneMs = 10_000;

testUnless(
  missing,
  "no process of the C cases outlives the case, whenever it is killed",
  async () => {
    const folder = tempDir();
    // Some cases continue as another user.
    chmodSync(folder, 0o755);
    const stress = program("stress-glibc");
    const left: Record<string, string[]> = {};
    for (const name of cases) {
      for (const moment of moments) {
        const child = Bun.spawn([stress, nativePath(), name], {
          env: { ...process.env, TMPDIR: folder },
          stdio: ["ignore", "ignore", "ignore"],
        });
        await Promise.race([child.exited, Bun.sleep(patience(moment))]);
        child.kill("SIGKILL");
        await child.exited;
        const since = performance.now();
        while (processesOf(stress).length > 0 && performance.now() - since < patience(goneMs))
          await Bun.sleep(10);
        const still = processesOf(stress);
        if (still.length > 0) left[`${name} after ${moment} ms`] = still;
      }
    }
    expect(left).toEqual({});
    expect(cases.length).toBeGreaterThan(30);
  },
  120_000,
);
