/** Turns Bun's XML into the matrix. */
import { describe, expect, test } from "bun:test";
import type { Finished } from "./guest/message.ts";
import type { Outcome } from "./guest.ts";
import { parseJunit } from "./junit.ts";
import { matrixFile, matrixOf, neverPassed } from "./matrix.ts";
import { failures, reasons, summary } from "./report.ts";
import { kernels } from "./table.ts";

const xml = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="4">
  <testsuite name="a.test.ts" file="a.test.ts">
    <testcase name="&lt;b&gt; &amp; &quot;q&quot;" classname="" time="0.5" file="a.test.ts" />
    <testcase name="udp (2) (needs Landlock ABI 10, this kernel has 7)" classname="" time="0">
      <skipped />
    </testcase>
    <testsuite name="group">
      <testcase name="fails" classname="group" time="0.001">
        <failure type="AssertionError" message="one&#10;two">AssertionError: one&#10;two&#10;  at a:1&#10;</failure>
      </testcase>
      <testcase name="slow" classname="group" time="0.05">
        <failure type="TimeoutError" message="test timed out" />
      </testcase>
    </testsuite>
  </testsuite>
</testsuites>`;

test("parseJunit() reads names, results and reasons", () => {
  expect(parseJunit(xml)).toEqual([
    { name: '<b> & "q"', result: "passed", why: "", seconds: 0.5 },
    {
      name: "udp (2)",
      result: "skipped",
      why: "needs Landlock ABI 10, this kernel has 7",
      seconds: 0,
    },
    {
      name: "group > fails",
      result: "failed",
      why: "AssertionError: one\ntwo\n  at a:1",
      seconds: 0.001,
    },
    { name: "group > slow", result: "failed", why: "test timed out", seconds: 0.05 },
  ]);
});

/** A guest with one test file. */
function outcome(index: number, more: Partial<Finished>, failure = ""): Outcome {
  const finished: Finished = {
    kind: "finished",
    user: "root",
    file: "test/a.test.ts",
    status: 0,
    seconds: 1,
    junit: "",
    inapplicable: [],
    notes: [],
    output: "",
    ...more,
  };
  const kernel = kernels[index]!;
  return { kernel, started: undefined, finished: [finished], failure, seconds: 1 };
}

const passed = (name: string) => `<testcase name="${name}" classname="" time="1" />`;
const skipped = (name: string) =>
  `<testcase name="${name}" classname="" time="0"><skipped /></testcase>`;

describe("matrixOf()", () => {
  test("puts one case of several kernels into one row, with the reason where it is skipped", () => {
    const matrix = matrixOf([
      outcome(0, { junit: passed("one") }),
      outcome(1, { junit: skipped("one (needs gcc)") }),
    ]);
    expect(matrix.rows).toHaveLength(1);
    expect(neverPassed(matrix, true)).toEqual([]);
    const names = matrix.kernels.map((kernel) => `${kernel} root`).join("\t");
    expect(matrixFile(matrix)).toBe(
      `file\tcase\t${names}\ntest/a.test.ts\tone\tpassed\tnot applicable: needs gcc\n`,
    );
    expect(reasons(matrix)).toContain(`1  needs gcc: ${kernels[1]!.name}`);
    expect(summary(matrix)).toMatch(/^a +1 +0 -1$/m);
  });

  test("takes a case's own word that it does not apply", () => {
    const inapplicable = ["not applicable: one: skipped: ptrace: EPERM"];
    const { rows } = matrixOf([outcome(0, { junit: passed("one"), inapplicable })]);
    expect(rows[0]!.cells[0]).toMatchObject({ result: "skipped", why: "ptrace: EPERM" });
  });

  test("counts a file without results, or with a bad end, as a failure", () => {
    const silent = matrixOf([outcome(0, { status: "SIGKILL", output: "out of memory" })]);
    expect(silent.fileFailures[0]!.why).toContain("SIGKILL, without results\nout of memory");
    const crashed = matrixOf([outcome(0, { status: 139, junit: passed("one") })]);
    expect(crashed.fileFailures[0]!.why).toContain("ended with 139");
    const failed = matrixOf([outcome(0, { status: 1, junit: xml })]);
    expect(failed.fileFailures).toEqual([]);
    expect(failures([], failed, [])).toHaveLength(2);
  });
});

test("neverPassed() forgives only what another kernel may have, where not all have run", () => {
  const junit = skipped("old (for Landlock ABI 9, this kernel has 7)") + skipped("c (needs gcc)");
  const matrix = matrixOf([outcome(0, { junit })]);
  expect(neverPassed(matrix, false).map(({ name }) => name)).toEqual(["c"]);
  expect(neverPassed(matrix, true).map(({ name }) => name)).toEqual(["old", "c"]);
});

test("failures() names guests that did not come to their end", () => {
  const died = outcome(0, { junit: passed("one") }, "it ended before its tests did\n  panic");
  expect(failures([died], matrixOf([died]), [])).toEqual([
    `${kernels[0]!.name}: it ended before its tests did\n  panic`,
  ]);
});
