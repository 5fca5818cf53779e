/** Fails CI if the kernel lacks the promised ABI, where skips alone would make the run pass. */
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
  // CI needs ABI 7 unless it sets another one; a developer's machine needs any Landlock at all.
  const promised = Number(process.env["LANDLOCK_TEST_MIN_ABI"] ?? (process.env["CI"] ? 7 : 1));
  expect(kernelAbi).toBeGreaterThanOrEqual(promised);
});
