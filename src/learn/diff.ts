/** Compares two texts like diff -u(1). */

/** The number of unchanged lines around a change. */
const context = 3;

type Step = readonly [sign: " " | "-" | "+", line: string];

/** The changed lines with their context. Empty if nothing changed. */
export function unifiedDiff(before: string, after: string): string[] {
  const steps = stepsOf(linesOf(before), linesOf(after));
  const near = steps.map((_, i) =>
    steps.slice(Math.max(i - context, 0), i + context + 1).some(([sign]) => sign !== " "),
  );
  const lines: string[] = [];
  let [old, now] = [1, 1];
  for (const [i, [sign, line]] of steps.entries()) {
    if (near[i]) {
      if (!near[i - 1]) lines.push(hunkHead(steps, near, i, old, now));
      lines.push(sign + line);
    }
    if (sign !== "+") old++;
    if (sign !== "-") now++;
  }
  return lines;
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

function hunkHead(
  steps: readonly Step[],
  near: readonly boolean[],
  start: number,
  old: number,
  now: number,
): string {
  const end = near.indexOf(false, start);
  const hunk = steps.slice(start, end < 0 ? steps.length : end);
  const removed = hunk.filter(([sign]) => sign !== "+").length;
  const added = hunk.filter(([sign]) => sign !== "-").length;
  // A hunk without lines on one side refers to the line before.
  const at = (line: number, count: number) => `${count === 0 ? line - 1 : line},${count}`;
  return `@@ -${at(old, removed)} +${at(now, added)} @@`;
}

/** Computes the longest common subsequence, and the changes between its lines. */
function stepsOf(before: readonly string[], after: readonly string[]): Step[] {
  const width = after.length + 1;
  const longest = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        before[i] === after[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  const steps: Step[] = [];
  for (let [i, j] = [0, 0]; i < before.length || j < after.length;) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      steps.push([" ", before[i++]!]);
      j++;
    } else if (
      j >= after.length ||
      (i < before.length && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)
    ) {
      steps.push(["-", before[i++]!]);
    } else steps.push(["+", after[j++]!]);
  }
  return steps;
}
