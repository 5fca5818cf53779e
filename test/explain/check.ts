/** What is expected of every denial that is provoked for real. */
import { expect } from "bun:test";
import { kernelAbi, testUnless } from "../harness.ts";
import { tryRow } from "./denials.ts";
import type { Row, Rows } from "./rows.ts";

// Below ABI 4, connecting is free, and nobody listens at that port.
const canary = [...Array(6).fill("EACCES"), kernelAbi < 4 ? "ECONNREFUSED" : "EACCES"];

/**
 * Tests of what is proposed: it works as exactly that rule, and what is beside stays denied. Each row
 * is tried freely, restricted, and with each of the rules.
 */
export function testRows(rows: Rows): void {
  for (const [name, row] of Object.entries(rows)) testRow(name, row);
}

function testRow(name: string, row: Row): void {
  const needs = row.abi ?? 1;
  const tooOld =
    kernelAbi < needs ? `needs Landlock ABI ${needs}, this kernel has ${kernelAbi}` : "";
  testUnless(tooOld || (row.missing ?? ""), name, async () => {
    const { free, denied, fixed, plain } = await tryRow(row);
    expect(free.thrown).toBeUndefined();
    const { cause, certain, message, fixes } = denied.explained!;
    expect([cause, certain]).toEqual(["landlock", !row.uncertain]);
    expect(message).toStartWith("Landlock: ");
    expect(denied.canary).toEqual(canary);
    const codes = fixes.map(({ code }) => plain(code));
    if (row.code === undefined) return expect(codes).toEqual([]);
    if (row.code instanceof RegExp) expect(codes[0]).toMatch(row.code);
    else expect(codes[0]).toBe(row.code);
    const outcomes = fixed.map(({ code, run }) => [code, run.thrown ?? "ok"]);
    const worked = outcomes.filter(([, outcome]) => outcome === "ok");
    // Each one is enough, where it is certain what it was.
    if (certain) expect(worked).toEqual(outcomes);
    expect(worked.length).toBeGreaterThan(0);
    for (const { run } of fixed) expect(run.canary).toEqual(canary);
  });
}
