/** The table: system call × outcome × errno. */

export interface Row {
  /** What was called, such as `"spawn"`. */
  readonly path: string;
  readonly syscall: string;
  readonly errno: string;
  /** The failing call, counted from 1, or `"all"`. */
  readonly call: string;
  readonly outcome: string;
}

/** One line for each system call of a path: its outcomes, and the errnos that led to them. */
export function markdown(rows: readonly Row[]): string {
  const lines = new Map<string, Map<string, Set<string>>>();
  for (const { path, syscall, errno, outcome } of rows) {
    const outcomes = lines.getOrInsertComputed(`${path} | ${syscall}`, () => new Map());
    outcomes
      .getOrInsertComputed(outcome.replaceAll("ERR_LANDLOCK_", ""), () => new Set())
      .add(errno);
  }
  const table = [...lines].map(([call, outcomes]) => {
    const texts = [...outcomes].map(([outcome, errnos]) => `${outcome}: ${[...errnos].join(" ")}`);
    return `| ${call} | ${texts.join("; ")} |`;
  });
  const head = "| path | system call | outcome: errnos |\n| --- | --- | --- |";
  return [head, ...table].join("\n");
}

/** The number of rows by outcome, as a Markdown table. */
export function counts(rows: readonly Row[]): string {
  const numbers = new Map<string, number>();
  for (const { path, outcome } of rows) {
    const key = `| ${path} | ${outcome}`;
    numbers.set(key, (numbers.get(key) ?? 0) + 1);
  }
  const lines = [...numbers].sort().map(([key, number]) => `${key} | ${number} |`);
  return ["| path | outcome | cases |", "| --- | --- | --- |", ...lines].join("\n");
}
