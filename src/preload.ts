/**
 * Sandboxes a program without changing its code: `bun --preload bun-landlock/preload main.ts`, or
 * `preload = ["bun-landlock/preload"]` in bunfig.toml.
 *
 * The policy is the file that `BUN_LANDLOCK_POLICY` named when the process was started. Without
 * that variable, it is the key `landlock` of the nearest package.json in the main script's folder
 * or above. It must belong to root or the caller. Without a policy, and after any failure, the
 * process ends with status 1 before any code of the program runs.
 *
 * The program and the files around it decide whether Bun runs the preload, so they must belong to
 * the operator. If the sandboxed program may write there, start Bun with
 * `landlock-restrict -policy` instead.
 */
import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { LandlockError, messageFor } from "./errors/errors.ts";
import { parentOf } from "./kernel/names.ts";
import { unrestricted } from "./kernel/probe.ts";
import { firstWritable, rewritableText } from "./policy/exposed.ts";
import { Policy } from "./policy/policy.ts";
import { packageOf } from "./policy/find.ts";
import { ownPolicy } from "./policy/owner.ts";
import { readFile } from "./policy/read.ts";
import { asStarted } from "./policy/started.ts";

/** Workers get a copy of the data under this key. Unlike a variable, no .env file can set it. */
const key = "bun-landlock/preload";

function sandbox(): void {
  if (!Bun.isMainThread) {
    if (getEnvironmentData(key) === process.pid) return;
    throw new LandlockError(
      "ERR_LANDLOCK_USAGE",
      "Cannot restrict a Worker alone: preload this where the process starts",
    );
  }
  const { rewritable, rules } = asStarted(() => {
    const named = process.env["BUN_LANDLOCK_POLICY"];
    const path = named ?? packageOf(Bun.main);
    const ifForeign =
      named === undefined ? "name one of your own with BUN_LANDLOCK_POLICY" : ownPolicy;
    const policy = new Policy(readFile(path, { ifForeign }));
    const report = policy.restrict();
    if (report.enforcement === "none" && !policy.config.allowNone) {
      throw unrestricted("Cannot sandbox this program");
    }
    return report;
  });
  if (rewritable.length > 0) warn(rewritableText(rewritable));
  const own = firstWritable(rules, [Bun.main, parentOf(Bun.main), process.cwd()]);
  if (own !== undefined) {
    warn(
      `it can change ${JSON.stringify(own)}, so its next run may get past the preload: start it with landlock-restrict -policy`,
    );
  }
  setEnvironmentData(key, process.pid);
}

function warn(what: string): void {
  console.error(`bun-landlock/preload: careful with this program: ${what}`);
}

try {
  sandbox();
} catch (error) {
  console.error(
    `bun-landlock/preload: ${error instanceof LandlockError ? messageFor(error, "key") : error}`,
  );
  process.exit(1);
}
