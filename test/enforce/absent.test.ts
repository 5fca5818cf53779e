/** A kernel without Landlock: strict is an error, best effort says that it enforced nothing. */
import { expect } from "bun:test";
import { probe } from "../../src/index.ts";
import { inSubprocess, kernelAbi, tempDir, testUnless } from "../harness.ts";

const { state, remedy } = probe();
const missing = kernelAbi > 0 ? `needs a kernel without Landlock, this one has ${kernelAbi}` : "";

testUnless(
  missing,
  "without Landlock every strict verb is an error, with nothing changed",
  async () => {
    const seen = await inSubprocess({ dir: tempDir() }, async (inside, { dir }) => {
      const { landlock, outcome, roDirs, threadField, thrown } = inside;
      const { readdirSync } = await import("node:fs");
      const before = threadField("NoNewPrivs").toSorted();
      const errors = [
        thrown(() => landlock.V1.restrictPaths(roDirs(dir))),
        thrown(() => landlock.V11.restrict()),
        thrown(() => landlock.V1.ruleset()),
        thrown(() => landlock.V1.bestEffort({ atLeast: 1 }).restrictPaths(roDirs(dir))),
      ];
      return {
        errors: errors.map((error) => [error?.["code"], error?.["processChanged"]]),
        message: errors[0]?.["message"],
        readable: outcome(() => readdirSync("/")),
        unchanged: Bun.deepEquals(threadField("NoNewPrivs").toSorted(), before),
      };
    });
    const code = { unsupported: "ERR_LANDLOCK_UNSUPPORTED", disabled: "ERR_LANDLOCK_DISABLED" }[
      state as "unsupported" | "disabled"
    ];
    expect(seen as object).toEqual({
      errors: Array(4).fill([code, false]),
      message: `Cannot restrict anything: ${remedy}`,
      readable: "ok",
      unchanged: true,
    });
  },
);

testUnless(
  missing,
  "without Landlock best effort reports none, warns once and runs on",
  async () => {
    const dir = tempDir();
    const seen = await inSubprocess({ dir }, async (inside, { dir }) => {
      const { landlock, outcome, roDirs, thrown } = inside;
      const { readdirSync } = await import("node:fs");
      let warnings = 0;
      process.on("warning", () => warnings++);
      const config = landlock.V11.bestEffort();
      const first = config.restrict(roDirs(dir));
      const second = config.restrictPaths(roDirs(`${dir}/missing`));
      using refusing = config.ruleset();
      const refused = thrown(() => refusing.spawnSync(["cat", "/proc/self/status"]))?.["message"];
      using ruleset = landlock.V11.bestEffort({ allowNone: true }).ruleset();
      const child = ruleset.spawnSync(["cat", "/proc/self/status"]);
      // Warnings are emitted on the next tick.
      await new Promise((done) => setImmediate(done));
      return {
        warnings,
        enforcement: [first.enforcement, second.enforcement],
        kernel: first.abi.kernel,
        threads: first.threads,
        refused,
        child: child.exitCode,
        readable: outcome(() => readdirSync("/")),
      };
    });
    expect(seen as object).toEqual({
      warnings: 1,
      enforcement: ["none", "none"],
      kernel: 0,
      threads: { count: 0, method: "none" },
      refused: `Cannot start "cat" in a sandbox: ${remedy}; to do without a sandbox, use .bestEffort({ allowNone: true })`,
      child: 0,
      readable: "ok",
    });
  },
);
