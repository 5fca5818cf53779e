/**
 * `bun test/faults/run.ts`: the whole matrix, each call of every number failing in turn with every
 * errno it has. Prints it as Markdown; a quarter of an hour. With `--quick`, what `bun test` sees of it.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "../programs.ts";
import { broadcastMatrix } from "./broadcast.ts";
import { callsMatrix, cliMatrix, launcherMatrix } from "./calls.ts";
import { counts, markdown, type Row } from "./matrix.ts";

const whole = !process.argv.includes("--quick");
const folder = mkdtempSync(join(tmpdir(), "landlock-faults-"));
// Some cases go on as another user.
chmodSync(folder, 0o755);
const stress = join(folder, "stress-glibc");
const faulty = join(folder, "faulty.so");
compile("stress-glibc", stress);
compile("faulty.so", faulty);

const place = { faulty, folder };
const programs = { stress, faulty, folder };
const matrices: readonly (() => Promise<Row[]>)[] = [
  () => broadcastMatrix(programs, 0, whole ? 100 : 1),
  () => broadcastMatrix(programs, 1, whole ? 100 : 0),
  ...(["probe", "build", "restrict", "spawnSync", "spawn"] as const).map(
    (path) => () => callsMatrix(place, path, whole),
  ),
  () => launcherMatrix(place, "spawnSync"),
  () => launcherMatrix(place, "spawn"),
  () => cliMatrix(place, whole),
];

const rows: Row[] = [];
for (const matrix of matrices) {
  const started = performance.now();
  const got = await matrix();
  rows.push(...got);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.error(`${got[0]?.path}: ${got.length} cases, ${seconds} s`);
}
rmSync(folder, { recursive: true });
console.log(`${rows.length} cases\n\n${counts(rows)}\n\n${markdown(rows)}`);
process.exit(rows.some(({ outcome }) => outcome.includes("BROKEN")) ? 1 : 0);
