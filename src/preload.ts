/**
 * Sandboxes a program without touching its code: `bun --preload bun-landlock/preload main.ts`, or
 * `preload = ["bun-landlock/preload"]` in bunfig.toml.
 *
 * The policy is the file that `BUN_LANDLOCK_POLICY` names, or else the key `landlock` of the
 * nearest package.json, from the main script's folder upwards. Without one, and whenever
 * something fails, the process ends with status 1 before any code of the program runs.
 */
import { LandlockError, messageFor } from "./errors.ts";
import { unrestricted } from "./kernel/probe.ts";
import { loadPolicy } from "./policy.ts";
import { packageOf } from "./policy/find.ts";
import { asStarted } from "./policy/started.ts";
import { rewritableText } from "./rewritable.ts";

/** Workers get a copy of the environment: the process id says that theirs is restricted. */
const mark = "BUN_LANDLOCK_PRELOADED";

function sandbox(): void {
  if (!Bun.isMainThread) {
    if (process.env[mark] === `${process.pid}`) return;
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_RULE",
      "Cannot restrict a Worker alone: preload this where the process starts",
    );
  }
  const { rewritable } = asStarted(() => {
    const policy = loadPolicy(process.env["BUN_LANDLOCK_POLICY"] ?? packageOf(Bun.main));
    const report = policy.restrict();
    if (report.enforcement === "none" && !policy.config.allowNone) {
      throw unrestricted("Cannot sandbox this program");
    }
    return report;
  });
  if (rewritable.length > 0) {
    console.error(`bun-landlock/preload: careful with this program: ${rewritableText(rewritable)}`);
  }
  process.env[mark] = `${process.pid}`;
}

try {
  sandbox();
} catch (error) {
  console.error(
    `bun-landlock/preload: ${error instanceof LandlockError ? messageFor(error, "key") : error}`,
  );
  process.exit(1);
}
