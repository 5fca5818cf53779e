/** Short soaks, which only prove that they run and notice a leak. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { kernelAbi, testUnless } from "../harness.ts";
import { Table, type Figures } from "./figures.ts";

const why =
  kernelAbi === 0
    ? "needs Landlock"
    : process.env["LANDLOCK_TEST_PROGRAMS"] === undefined
      ? ""
      : "for minutes on an emulated machine";

for (const [script, words] of Object.entries({
  "children.ts": ["200", "2"],
  "layers.ts": ["1", "2"],
  "rulesets.ts": ["2000", "2"],
})) {
  testUnless(
    why,
    `${script} runs and finds files and zombies flat`,
    async () => {
      const command = [process.execPath, join(import.meta.dir, script), ...words];
      const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
      const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      await child.exited;
      expect(stderr).toBe("");
      const lines = stdout.trim().split("\n");
      // Memory may still grow this soon after the start.
      expect(lines.at(-1)).toMatch(/^(flat|not flat: \d+ KiB of memory)$/);
      expect(lines).toHaveLength(6);
    },
    60_000,
  );
}

test("what grows is named", () => {
  const log = console.log;
  const printed: unknown[] = [];
  console.log = (line: unknown) => printed.push(line);
  try {
    const table = new Table("things");
    const line: Figures = { rssKiB: 1000, sizeKiB: 5000, fds: 9, zombies: 0, threads: 3 };
    table.add(0, { ...line, rssKiB: 100, fds: 5 });
    table.add(1, line);
    table.add(2, { ...line, rssKiB: 1100 });
    expect(table.growth(100)).toBe("");
    table.add(3, { ...line, rssKiB: 1101, fds: 11, zombies: 4 });
    expect(table.growth(100)).toBe("2 open files, 4 zombies, 101 KiB of memory");
  } finally {
    console.log = log;
  }
  expect(printed).toHaveLength(6);
});
