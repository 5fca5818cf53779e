/** explain and learn give the same advice for the same job, and never advise a dangerous grant. */
import { expect, test } from "bun:test";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { compare, jobs } from "./jobs.ts";
import { needsStrace } from "./strace.ts";

/** Jobs, what explain still leaves to a person at the end, and whether the job works. */
const expected: Readonly<Record<string, { left: string; works: boolean }>> = {
  "bun build": { left: "", works: true },
  busybox: { left: "", works: true },
  "a script, hostile": { left: "", works: true },
  "git commit": { left: "-rw SCENE/project/.git", works: false },
  "curl to a port that nobody listens on": { left: "-connecttcp 9", works: false },
};

test("there are twenty jobs, each with a name of its own", () => {
  expect(new Set(jobs.map(({ name }) => name)).size).toBe(20);
  const names = jobs.map(({ name }) => name);
  expect(Object.keys(expected).filter((name) => !names.includes(name))).toEqual([]);
});

for (const job of jobs) {
  const result = expected[job.name];
  if (result === undefined) continue;
  const absent = job.needs.find((name) => Bun.which(name, { PATH: "/usr/bin:/bin" }) === null);
  const missing = needsStrace || (kernelAbi < 4 ? "needs Landlock ABI 4" : "");
  testUnless(
    missing || (absent ? `needs ${absent}` : ""),
    `${job.name}: explain and learn advise the same`,
    async () => {
      const { runs, code, left, more, contrary, unsafe } = await compare(job, [
        tempDir(),
        tempDir(),
      ]);
      expect([more, contrary, unsafe]).toEqual([[], [], []]);
      expect([left.join(" "), code === 0]).toEqual([result.left, result.works]);
      expect(runs).toBeWithin(2, 20);
    },
    120_000,
  );
}
