/** The table: system call × errno × which of its calls × outcome. */

/** One case. */
export interface Row {
  /** What was called, as `"spawn"`. */
  readonly path: string;
  readonly syscall: string;
  readonly errno: string;
  /** Which call failed, counted from 1, or `"all"`. */
  readonly call: string;
  readonly outcome: string;
}

/** Runs of calls as text: 1–4, 7. */
function spans(calls: readonly string[]): string {
  const numbers = calls.filter((call) => call !== "all").map(Number);
  const parts: string[] = [];
  for (let i = 0; i < numbers.length;) {
    let end = i;
    while (numbers[end + 1] === numbers[end]! + 1) end++;
    parts.push(end > i ? `${numbers[i]}–${numbers[end]}` : `${numbers[i]}`);
    i = end + 1;
  }
  return [...parts, ...(calls.includes("all") ? ["all"] : [])].join(", ");
}

/** Rows with the same outcome in one line each, as a Markdown table. */
export function markdown(rows: readonly Row[]): string {
  const lines = new Map<string, { row: Row; calls: string[]; errnos: Set<string> }>();
  const byErrno = new Map<string, { row: Row; calls: string[] }>();
  for (const row of rows) {
    const key = [row.path, row.syscall, row.errno, row.outcome].join("|");
    const line = byErrno.get(key) ?? { row, calls: [] };
    line.calls.push(row.call);
    byErrno.set(key, line);
  }
  for (const { row, calls } of byErrno.values()) {
    const key = [row.path, row.syscall, spans(calls), row.outcome].join("|");
    const line = lines.get(key) ?? { row, calls, errnos: new Set() };
    line.errnos.add(row.errno);
    lines.set(key, line);
  }
  const table = [...lines.values()].map(
    ({ row, calls, errnos }) =>
      `| ${row.path} | ${row.syscall} | ${[...errnos].join(" ")} | ${spans(calls)} | ${row.outcome} |`,
  );
  const head =
    "| path | system call | errno | which call | outcome |\n| --- | --- | --- | --- | --- |";
  return [head, ...table].join("\n");
}

/** How many rows there are of each outcome, as a Markdown table. */
export function counts(rows: readonly Row[]): string {
  const numbers = new Map<string, number>();
  for (const { path, outcome } of rows) {
    const key = `| ${path} | ${outcome}`;
    numbers.set(key, (numbers.get(key) ?? 0) + 1);
  }
  const lines = [...numbers].sort().map(([key, number]) => `${key} | ${number} |`);
  return ["| path | outcome | cases |", "| --- | --- | --- |", ...lines].join("\n");
}
