/** Which case passed on which kernel, as which user. */
import type { Outcome } from "./guest.ts";
import { parseJunit, type TestCase } from "./junit.ts";

/** One kernel and one user, in a row of the matrix. */
export interface Cell extends TestCase {
  readonly kernel: string;
  readonly user: string;
}

/** A case and its result everywhere. */
export interface Row {
  readonly file: string;
  readonly name: string;
  readonly cells: readonly Cell[];
}

/** The result of a file as a whole, because it may fail although all its cases pass. */
export interface FileFailure {
  readonly kernel: string;
  readonly user: string;
  readonly file: string;
  readonly why: string;
}

export interface Matrix {
  readonly kernels: readonly string[];
  readonly rows: readonly Row[];
  readonly fileFailures: readonly FileFailure[];
}

/** A case that had to pass because it could not be skipped, but reported why it does not apply. */
function corrected(one: TestCase, inapplicable: readonly string[]): TestCase {
  const prefix = `not applicable: ${one.name}: `;
  const line = inapplicable.find((line) => line.startsWith(prefix));
  if (one.result !== "passed" || line === undefined) return one;
  return { ...one, result: "skipped", why: line.slice(prefix.length).replace(/^skipped: /, "") };
}

/** Collects the cases of all guests. */
export function matrixOf(outcomes: readonly Outcome[]): Matrix {
  const rows = new Map<string, Row & { cells: Cell[] }>();
  const fileFailures: FileFailure[] = [];
  for (const { kernel, finished } of outcomes) {
    for (const { user, file, status, junit, inapplicable, output } of finished) {
      const cases = parseJunit(junit).map((one) => corrected(one, inapplicable));
      for (const one of cases) {
        const key = `${file}\0${one.name}`;
        const row = rows.get(key) ?? { file, name: one.name, cells: [] };
        rows.set(key, row);
        row.cells.push({ ...one, kernel: kernel.name, user });
      }
      const explained = status === 0 || cases.some((one) => one.result === "failed");
      if (cases.length > 0 && explained) continue;
      const why = `ended with ${status}${cases.length > 0 ? "" : ", without results"}\n${output}`;
      fileFailures.push({ kernel: kernel.name, user, file, why });
    }
  }
  return {
    kernels: outcomes.map(({ kernel }) => kernel.name),
    rows: [...rows.values()],
    fileFailures,
  };
}

/** Reasons for a skip that some kernel or user lifts, so a full run must pass these cases. */
const ofTheRun = /\b(ABI|Landlock|Linux|root)\b/;

/**
 * Rows that passed nowhere, because a case that is always skipped tests nothing.
 *
 * @param all Whether every kernel has run; if not, a missing one may be what a case needs
 */
export function neverPassed({ rows }: Matrix, all: boolean): Row[] {
  return rows.filter(
    ({ cells }) =>
      cells.every(({ result }) => result !== "passed") &&
      (all || !cells.every(({ why }) => ofTheRun.test(why))),
  );
}

/** The matrix as tab-separated values: a row for each case, a column for each kernel and user. */
export function matrixFile({ kernels, rows }: Matrix): string {
  const users = [...new Set(rows.flatMap(({ cells }) => cells.map(({ user }) => user)))];
  const columns = kernels.flatMap((kernel) => users.map((user) => [kernel, user] as const));
  const lines = rows.map(({ file, name, cells }) => [
    file,
    name,
    ...columns.map(([kernel, user]) => {
      const cell = cells.find((cell) => cell.kernel === kernel && cell.user === user);
      if (cell === undefined) return "missing";
      return cell.result === "skipped" ? `not applicable: ${cell.why}` : cell.result;
    }),
  ]);
  const head = ["file", "case", ...columns.map(([kernel, user]) => `${kernel} ${user}`)];
  return [head, ...lines]
    .map((fields) => fields.map((field) => field.replace(/[\t\n]+/g, " ")).join("\t"))
    .join("\n")
    .concat("\n");
}
