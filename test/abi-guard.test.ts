/** Keeps a run on a machine with another kernel than promised from passing on skips alone. */
import { expect, test } from "bun:test";
import { probe } from "../src/index.ts";
import { kernelAbi } from "./harness.ts";

test("the kernel has the Landlock that this run was promised", () => {
  const exact = process.env["LANDLOCK_TEST_ABI"];
  if (exact !== undefined) {
    const state = process.env["LANDLOCK_TEST_STATE"] ?? "enabled";
    expect(probe()).toMatchObject({ abi: Number(exact), state });
    return;
  }
  // CI promises ABI 7, unless it says otherwise; a developer's machine needs Landlock at all.
  const promised = Number(process.env["LANDLOCK_TEST_MIN_ABI"] ?? (process.env["CI"] ? 7 : 1));
  expect(kernelAbi).toBeGreaterThanOrEqual(promised);
});
