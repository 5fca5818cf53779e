/** Formats text for a screen, without one. */
import { describe, expect, test } from "bun:test";
import { progressLine } from "../../src/terminal/output.ts";
import { screenFor, type Screen } from "../../src/terminal/screen.ts";
import { table, type Column } from "../../src/terminal/table.ts";
import { cutEnd, cutMiddle, cutStart, labelled, paint } from "../../src/terminal/text.ts";

const piped: Screen = { columns: Infinity, colours: false, live: false };
const wide = (columns: number): Screen => ({ columns, colours: false, live: true });

describe("screenFor()", () => {
  const xterm = { TERM: "xterm" };
  const cases: [string, number | undefined, Record<string, string>, Screen][] = [
    ["a terminal", 100, xterm, { columns: 100, colours: true, live: true }],
    ["no terminal", undefined, xterm, piped],
    ["a terminal without a width", 0, xterm, { columns: 80, colours: true, live: true }],
    ["COLUMNS", 100, { ...xterm, COLUMNS: "60" }, { columns: 60, colours: true, live: true }],
    ["COLUMNS of 0", 100, { ...xterm, COLUMNS: "0" }, { columns: 100, colours: true, live: true }],
    ["COLUMNS, no terminal", undefined, { ...xterm, COLUMNS: "60" }, piped],
    ["NO_COLOR", 100, { ...xterm, NO_COLOR: "1" }, { columns: 100, colours: false, live: true }],
    ["an empty NO_COLOR", 9, { ...xterm, NO_COLOR: "" }, { columns: 9, colours: true, live: true }],
    ["a dumb one", 100, { TERM: "dumb" }, { columns: 100, colours: false, live: false }],
    ["no TERM", 100, {}, { columns: 100, colours: false, live: false }],
    ["CI", 100, { ...xterm, CI: "true" }, { columns: 100, colours: false, live: false }],
    ["FORCE_COLOR", undefined, { FORCE_COLOR: "" }, { ...piped, colours: true }],
    [
      "FORCE_COLOR=0",
      9,
      { ...xterm, FORCE_COLOR: "0" },
      { columns: 9, colours: false, live: true },
    ],
    ["both", 9, { FORCE_COLOR: "1", NO_COLOR: "1" }, { columns: 9, colours: true, live: false }],
  ];
  for (const [name, columns, env, screen] of cases) {
    test(name, () => expect(screenFor(columns, env)).toEqual(screen));
  }
});

test("paint() has colours for screens that have some", () => {
  expect(paint("red", "text", { colours: true })).toBe("\x1b[31mtext\x1b[39m");
  expect(paint("red", "text", { colours: false })).toBe("text");
  expect(paint("red", "", { colours: true })).toBe("");
});

describe("cutMiddle()", () => {
  test("leaves a text that has room", () => expect(cutMiddle("/usr/lib", 8)).toBe("/usr/lib"));
  test("shows the beginning, and more of the end", () => {
    expect(cutMiddle("/usr/share/zoneinfo/Europe/Berlin", 16)).toBe("/usr/…ope/Berlin");
  });
  test("counts columns, not characters", () => {
    for (let columns = 0; columns <= 16; columns++) {
      const cut = cutMiddle("/日本語/日本語/日本語", columns);
      expect(Bun.stringWidth(cut)).toBeLessThanOrEqual(columns);
      expect(Bun.stringWidth(cut)).toBeGreaterThanOrEqual(columns - 2);
    }
  });
});

test("cutEnd() and cutStart() keep the other side", () => {
  expect([cutEnd("/usr/lib", 8), cutStart("/usr/lib", 8)]).toEqual(["/usr/lib", "/usr/lib"]);
  expect([cutEnd("/usr/lib", 5), cutStart("/usr/lib", 5)]).toEqual(["/usr…", "…/lib"]);
  expect([cutEnd("日本語", 4), cutStart("日本語", 4)]).toEqual(["日…", "…語"]);
  expect([cutEnd("/usr", 1), cutStart("/usr", 1), cutEnd("/usr", 0)]).toEqual(["…", "…", ""]);
});

describe("labelled()", () => {
  const rows = [["a:", "one two three four five six"]] as const;
  test("wraps at words, behind the label", () => {
    expect(labelled(rows, 4, wide(24))).toEqual(["a:  one two three four\n    five six"]);
  });
  test("wraps nothing where there is no terminal, or no room", () => {
    const whole = ["a:  one two three four five six"];
    expect(labelled(rows, 4, piped)).toEqual(whole);
    expect(labelled(rows, 4, wide(20))).toEqual(whole);
  });
});

describe("table()", () => {
  const columns: Column[] = [
    { head: "WHERE", cut: cutMiddle },
    { head: "TIMES", align: "right" },
    { head: "ALLOWED BY", cut: cutMiddle },
  ];
  const path = "/usr/share/zoneinfo/Europe/Berlin";
  const rows = [
    [path, "2", `-ro ${path}`],
    ["/etc", "12", "-ro /etc"],
  ];

  test("is whole and plain where there is no terminal", () => {
    expect(table(columns, rows, piped)).toEqual([
      "WHERE                              TIMES  ALLOWED BY",
      `${path}      2  -ro ${path}`,
      "/etc                                  12  -ro /etc",
    ]);
  });

  test("fits a terminal, by cutting the middle of what may be cut", () => {
    expect(table(columns, rows, wide(50))).toEqual([
      "WHERE                  TIMES  ALLOWED BY",
      "/usr/s…/Europe/Berlin      2  -ro /u…Europe/Berlin",
      "/etc                      12  -ro /etc",
    ]);
  });

  test("becomes blocks where columns have no room side by side", () => {
    expect(table(columns, rows, wide(30))).toEqual([
      "WHERE       /usr/…urope/Berlin",
      "TIMES       2",
      "ALLOWED BY  -ro /…urope/Berlin",
      "",
      "WHERE       /etc",
      "TIMES       12",
      "ALLOWED BY  -ro /etc",
    ]);
  });

  test("never is wider than the screen, however wide its characters", () => {
    const strange = [["/日本語/日本語/日本語/日本語", "1", "-ro /日本語/日本語/日本語/日本語"]];
    for (let width = 24; width < 100; width++) {
      for (const line of table(columns, strange, wide(width))) {
        expect(Bun.stringWidth(line), `at ${width}`).toBeLessThanOrEqual(width);
      }
    }
  });

  test("colours do not move its columns", () => {
    const styled = columns.map((column): Column => ({ ...column, style: "cyan" }));
    const coloured = table(styled, rows, { columns: 50, colours: true, live: true });
    expect(coloured[1]).toContain("\x1b[36m");
    expect(coloured.map((line) => Bun.stripANSI(line))).toEqual(table(columns, rows, wide(50)));
  });
});

describe("progressLine()", () => {
  function run(screen: Screen, steps: readonly (readonly [at: number, text?: string])[]): string[] {
    const written: string[] = [];
    let time = 0;
    const line = progressLine(
      screen,
      (text) => void written.push(text),
      () => time,
    );
    for (const [at, text] of steps) {
      time = at;
      if (text === undefined) line.clear();
      else line.show(text);
    }
    return written;
  }
  const erase = "\r\x1b[2K";

  test("is written anew, ten times a second at most, and cleared", () => {
    const steps = [[0, "1 file"], [50, "2 files"], [150, "3 files"], [160], [170]] as const;
    expect(run(wide(80), steps)).toEqual([`${erase}1 file`, `${erase}3 files`, erase]);
  });

  test("stays in its line", () => {
    expect(run(wide(10), [[0, "/usr/share/zoneinfo"]])).toEqual([`${erase}/u…neinfo`]);
  });

  test("is nothing where there is no terminal", () => {
    expect(run(piped, [[0, "1 file"], [200]])).toEqual([]);
  });
});
