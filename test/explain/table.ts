/**
 * `bun test/explain/table.ts` prints a Markdown table: what `explain()` says to real denials, and
 * whether exactly the proposed rule solves each.
 */
import { rmSync } from "node:fs";
import { kernelAbi } from "../harness.ts";
import { folders } from "../folders.ts";
import { rows, tryRow } from "./denials.ts";

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

console.log("| what | error as thrown | what explain() said | worked with exactly that rule |");
console.log("| --- | --- | --- | --- |");
for (const [name, row] of Object.entries(rows)) {
  const missing = (row.abi ?? 1) > kernelAbi ? `needs Landlock ABI ${row.abi}` : row.missing;
  if (missing) {
    console.log(`| ${cell(name)} | – | – | ${missing} |`);
    continue;
  }
  const { denied, fixed, plain } = await tryRow(row);
  const worked = fixed.map(({ code: rule, run }) =>
    run.thrown === undefined ? `yes: ${code(rule)}` : `no, it was not this: ${code(rule)}`,
  );
  const { message = "" } = denied.explained ?? {};
  const said = [denied.thrown ?? "", message].map((text) => code(plain(text)));
  console.log(`| ${[cell(name), ...said, worked.join("; ") || "no rule can"].join(" | ")} |`);
}
for (const folder of folders) rmSync(folder, { recursive: true, force: true });
