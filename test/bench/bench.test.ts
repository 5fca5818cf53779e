/** The benchmarks' pure parts, and a quick run of all; judges no time. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { interleave } from "./interleave.ts";
import { chart } from "./report/chart.ts";
import { figure } from "./report/numbers.ts";
import { readme, withSection } from "./report/readme.ts";
import { table } from "./report/table.ts";
import { measured, ratioOf, verdicts, type Group, type Results } from "./results.ts";
import { quantile, summarise } from "./statistics.ts";

const group: Group = {
  id: "launch",
  title: "Launch <it> & more",
  unit: "ms",
  charted: true,
  entries: [
    measured("alone", "base", [1, 2, 3]),
    measured("ours", "ours", [6, 5, 7]),
    measured("a | b", "peer", [4, 4, 4]),
    measured("a giant", "base", [99, 100, 101]),
    { name: "elsewhere", role: "peer", absent: "it is not here" },
  ],
  bars: [{ of: "ours", times: 1.5, against: ["alone", "a | b", "elsewhere"] }],
  note: "nothing failed",
};

const results: Results = {
  date: "2026-01-31",
  quick: false,
  machine: {
    cpu: "A CPU",
    cores: 2,
    linux: "6.18",
    landlockAbi: 7,
    distribution: "Debian",
    bun: "1.4.5",
    load: 0.1,
  },
  groups: [group, { ...group, title: "In the table only", charted: false }],
};

describe("statistics", () => {
  test("a quantile lies between two samples where it has to", () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
    expect(quantile([7], 0.75)).toBe(7);
    expect(() => quantile([], 0.5)).toThrow("no samples");
  });

  test("a summary does not depend on the order, and leaves the samples alone", () => {
    const samples = [10, 1, 2];
    expect(summarise(samples)).toEqual({ median: 2, low: 1.5, high: 6, samples: 3 });
    expect(samples).toEqual([10, 1, 2]);
  });
});

describe("results", () => {
  test("ratios are to the first entry, and absent ones have none", () => {
    expect(group.entries.map((entry) => ratioOf(group, entry))).toEqual([1, 3, 2, 50, undefined]);
  });

  test("a bar is judged against each other entry that is there", () => {
    expect(verdicts(group).map(({ against, ratio, met }) => [against, ratio, met])).toEqual([
      ["alone", 3, false],
      ["a | b", 1.5, true],
    ]);
    const gone = { ...group, entries: group.entries.filter(({ name }) => name !== "ours") };
    expect(verdicts(gone)).toEqual([]);
  });
});

describe("measuring", () => {
  test("every candidate has its turn in each round, and the first rounds do not count", async () => {
    const turns: string[] = [];
    const candidate = (name: string, figures: number[]) => ({
      labels: figures.map((_, i) => ({ name: `${name}${i}`, role: "ours" as const })),
      sample() {
        turns.push(name);
        return figures.map((value) => value + turns.length);
      },
    });
    const absent = { name: "c", role: "peer", absent: "it is not here" } as const;
    const entries = await interleave([candidate("a", [0]), absent, candidate("b", [0, 100])], 2, 1);
    expect(turns.join("")).toBe("ababab");
    expect(entries).toEqual([
      measured("a0", "ours", [3, 5]),
      absent,
      measured("b0", "ours", [4, 6]),
      measured("b1", "ours", [104, 106]),
    ]);
  });

  test("a candidate with too few figures is an error", async () => {
    const mute = { labels: [{ name: "mute", role: "ours" as const }], sample: () => [] };
    expect(async () => interleave([mute], 1)).toThrow("mute gave 0 figures");
  });
});

describe("reports", () => {
  test("three digits of a figure count", () => {
    expect([0.6213, 12.06, 123.4, 4935.2].map(figure)).toEqual(["0.62", "12.1", "123", "4,935"]);
  });

  test("the table has every entry, absent ones with the reason, and every bar", () => {
    const text = table(results);
    expect(text).toContain("A CPU, 2 cores, Debian, Linux 6.18");
    expect(text).toMatch(/ours +6\.00 +3\.00 × +5\.50 to 6\.50/);
    expect(text).toContain("elsewhere  absent: it is not here");
    expect(text).toContain("bar missed: ours is 3.00 × alone, at most 1.50 ×");
    expect(text).toContain("bar met: ours is 1.50 × a | b, at most 1.50 ×");
    expect(text).toContain("nothing failed");
  });

  test("the chart has what it can show, in order, with lengths that are true", () => {
    const svg = chart(results);
    expect(svg).toContain("Launch &lt;it&gt; &amp; more");
    expect(svg).not.toContain("In the table only");
    expect(svg).not.toContain("a giant");
    const bars = [...svg.matchAll(/class="(\w+)" x="294" y="\d+" width="([\d.]+)"/g)];
    expect(bars.map(([, role]) => role)).toEqual(["base", "peer", "ours"]);
    const lengths = bars.map(([, , length]) => Number(length));
    expect(lengths[0]! / lengths[2]!).toBeCloseTo(2 / 6, 2);
    expect(lengths[1]! / lengths[2]!).toBeCloseTo(4 / 6, 2);
    expect(svg).toContain("6.00 ms · 3.00 ×");
    expect(svg).toContain("prefers-color-scheme: dark");
  });

  test("the Markdown has the machine, the bars, and every figure in a table of four columns", () => {
    const text = readme(results);
    expect(text).toContain("![What a sandbox costs](chart.svg)");
    expect(text).toContain("A CPU, 2 cores, Debian, Linux 6.18 (Landlock ABI 7), Bun 1.4.5");
    expect(text).toContain("| Launch <it> & more: ours | alone | 1.50 × | 3.00 × | missed |");
    expect(text).toContain("| a \\| b | 4.00 | 2.00 × | 4.00 to 4.00 |");
    expect(text).toContain("| elsewhere | absent |  | it is not here |");
  });
});

test("a page gets the section between its marks, again and again, and nothing else changes", () => {
  const page = "a\n<!-- bun run bench writes from here -->\nold\n<!-- to here -->\nz\n";
  const text = withSection(page, results, "there");
  expect(text).toStartWith("a\n<!-- bun run bench writes from here -->\n\nMedians");
  expect(text).toContain("a chart: `there` in the sources");
  expect(text).toContain(
    "  - _bun-landlock_ ours: 6.00 ms (3.00\u00a0×)\n  - _others_ a | b: 4.00 ms (2.00\u00a0×)\n",
  );
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(text).not.toContain("old");
  expect(text).toEndWith("\n<!-- to here -->\nz\n");
  expect(withSection(text, results, "there")).toBe(text);
  expect(withSection("no marks", results, "there")).toBe("no marks");
});

test("a quick run measures the package as it is published, and writes nothing", () => {
  const script = join(import.meta.dir, "run.ts");
  const command = [process.execPath, script, "quick", "startup", "spawn", "server"];
  const done = Bun.spawnSync(command, { stderr: "pipe" });
  expect(done.stderr.toString()).toMatch(/startup: \d+ s\nspawn: \d+ s\nserver: \d+ s\n$/);
  const text = done.stdout.toString();
  expect(text).toMatch(/import, enforce 10 rules +[\d.]+ +[\d.]+ ×/);
  expect(text).toMatch(/ruleset\.spawnSync\(\) +[\d.]+ +[\d.]+ ×/);
  expect(text).toContain("\n  0 of 2,700 requests failed");
  expect(text).not.toContain("Written");
}, 60_000);
