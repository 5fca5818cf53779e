/**
 * `bun test/faults/run.ts` runs the whole matrix: each call of every number fails in turn with each
 * of its errnos. Prints `matrix.md` in two to fifteen minutes. `--quick` runs the part of `bun
 * test`.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "../programs.ts";
import { broadcastMatrix } from "./broadcast.ts";
import { callsMatrix, cliMatrix, launcherMatrix } from "./calls.ts";
import { counts, markdown, type Row } from "./matrix.ts";

const whole = !process.argv.includes("--quick");
const folder = mkdtempSync(join(tmpdir(), "landlock-faults-"));
// Some cases continue as another user.
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
console.error(counts(rows));
const broken = rows.filter(({ outcome }) => outcome.includes("BROKEN")).length;
console.log(`# Faults

\`bun test/faults/run.ts\` lets each system call fail with each of its errnos, at each of its turns: ${rows.length.toLocaleString("en")}
cases on Linux ${release().split(".", 2).join(".")}, ${broken || "none"} of them a sandbox that covers a part of the threads and does not say so. A
turn that another one did not reach is another turn's outcome: an errno may stand in several.

- _unchanged_: an error, and every thread, mask, handler and open file is as before. _Changed_: the error
  has \`processChanged: true\`; _diverged_ and _unreachable_ are \`ERR_LANDLOCK_THREADS_DIVERGED\` and
  \`_UNREACHABLE\`.
- _Handler stays_: a signal may still be on its way, or the call that puts the handler back is the one that
  fails. _Mask stays_: that is the call that fails, which a kernel does not do.

${markdown(rows)}`);
process.exit(broken > 0 ? 1 : 0);
