/**
 * `bun test/learn/round-trip-table.ts` prints the round trips as a Markdown table. With
 * `--policies`, each row is followed by its learned policy.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programs } from "./programs.ts";
import { missingFor, roundTrip } from "./round-trip.ts";

console.log("| program | exit | rules learned | same output | neighbour's file | other port |");
console.log("| --- | --- | --- | --- | --- | --- |");
for (const program of programs) {
  const missing = missingFor(program);
  if (missing) {
    console.log(`| ${program.name} | ${missing} | | | | |`);
    continue;
  }
  const folder = mkdtempSync(join(tmpdir(), "landlock-learn-"));
  const { learned, again, rules, file, port, policy, said } = await roundTrip(program, folder);
  rmSync(folder, { recursive: true });
  const same = Bun.deepEquals(learned, again) ? "yes" : "no";
  const denied = (one: typeof port) => (one ? `${one.free} → ${one.restricted}` : "not restricted");
  const cells = [program.name, again.code, rules, same, denied(file), denied(port)];
  console.log(`| ${cells.join(" | ")} |`);
  if (process.argv.includes("--policies")) console.log(`\n${policy}\n${said}`);
}
