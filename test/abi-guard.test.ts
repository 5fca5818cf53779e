/** Keeps a run on a machine with a poorer kernel than promised from passing on skips alone. */
import { expect, test } from "bun:test";
import { kernelAbi } from "./harness.ts";

test("the kernel has the Landlock ABI that this run was promised", () => {
  // CI promises ABI 7, unless it says otherwise; a developer's machine needs Landlock at all.
  const promised = Number(process.env["LANDLOCK_TEST_MIN_ABI"] ?? (process.env["CI"] ? 7 : 1));
  expect(kernelAbi).toBeGreaterThanOrEqual(promised);
});
