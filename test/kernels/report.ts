/** The report for people after all guests have ended. */
import type { Outcome } from "./guest.ts";
import type { Cell, Matrix, Row } from "./matrix.ts";

/** The lines of a table with aligned columns; all but the first align right. */
function table(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const aligned = lines.map((line) =>
    line.map((field, i) => (i === 0 ? field.padEnd(widths[i]!) : field.padStart(widths[i]!))),
  );
  return aligned.map((line) => line.join("  ").trimEnd()).join("\n");
}

function counts(cells: readonly Cell[]): string {
  const count = (result: Cell["result"]) => cells.filter((cell) => cell.result === result).length;
  const [passed, failed, skipped] = [count("passed"), count("failed"), count("skipped")];
  return `${passed}${skipped ? ` -${skipped}` : ""}${failed ? ` !${failed}` : ""}`;
}

/** Test files by kernels: how many cases passed, do not apply (`-`) and failed (`!`). */
export function summary({ kernels, rows }: Matrix): string {
  const files = [...new Set(rows.map(({ file }) => file))];
  const cells = (where: readonly Row[], kernel: string) =>
    where.flatMap((row) => row.cells).filter((cell) => cell.kernel === kernel);
  const line = (name: string, where: readonly Row[]) => [
    name.replace(/^test\/|\.test\.ts$/g, ""),
    ...kernels.map((kernel) => counts(cells(where, kernel))),
  ];
  return table([
    ["passed -not applicable !failed", ...kernels],
    ...files.map((file) =>
      line(
        file,
        rows.filter((row) => row.file === file),
      ),
    ),
    line("all", rows),
  ]);
}

/** Why cases do not apply: each reason once, with its count and kernels. */
export function reasons({ rows }: Matrix): string {
  const skips = rows.flatMap(({ cells }) => cells.filter(({ result }) => result === "skipped"));
  // The line already names the kernel.
  const ofAny = (why: string) => why.replace(/, this (kernel|one) has \d+$/, "");
  const byReason = Map.groupBy(skips, ({ why }) => ofAny(why) || "no reason given");
  return [...byReason]
    .toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([why, cells]) => {
      const where = [...new Set(cells.map(({ kernel }) => kernel))].join(" ");
      return `  ${String(cells.length).padStart(4)}  ${why}: ${where}`;
    })
    .join("\n");
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "      ");
}

/** All failures in full. */
export function failures(
  outcomes: readonly Outcome[],
  { rows, fileFailures }: Matrix,
  never: readonly Row[],
): string[] {
  const guests = outcomes
    .filter(({ failure }) => failure !== "")
    .map(({ kernel, failure }) => `${kernel.name}: ${failure}`);
  const files = fileFailures.map(
    ({ kernel, user, file, why }) => `${kernel} as ${user}: ${file} ${why}`,
  );
  const cases = rows.flatMap(({ file, name, cells }) =>
    Map.groupBy(
      cells.filter(({ result }) => result === "failed"),
      ({ why }) => why,
    )
      .entries()
      .map(([why, same]) => {
        const where = same.map(({ kernel, user }) => `${kernel} as ${user}`).join(", ");
        return `${file}: ${name}\n    on ${where}\n${indented(why)}`;
      })
      .toArray(),
  );
  const nowhere = never
    .filter(({ cells }) => cells.every(({ result }) => result === "skipped"))
    .map(({ file, name, cells }) => {
      const why = [...new Set(cells.map((cell) => cell.why))].join("; ");
      return `${file}: ${name}\n    passed on no kernel: ${why}`;
    });
  return [...guests, ...files, ...cases, ...nowhere];
}
