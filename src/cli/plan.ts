/** `landlock-restrict plan`: shows what this kernel would enforce, and enforces nothing. */
import { LandlockError, printableLines } from "../errors/errors.ts";
import { probe } from "../kernel/probe.ts";
import type { Screen } from "../terminal/screen.ts";
import { describe } from "./describe.ts";
import type { Request } from "./flags.ts";
import { refusalOf } from "./complain.ts";

/** What would be enforced, and the error if it would be refused. */
interface DryRun {
  readonly text: string;
  /** The error if a strict Config needs something that the kernel lacks. `text` then omits it. */
  readonly refusal?: string;
}

/**
 * Makes the plan for this kernel without opening any path.
 *
 * @param screen Where the text is shown
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if rules and Config contradict each other
 */
export function dryRun(request: Request, screen: Screen): DryRun {
  const { config, rules, json } = request;
  const text = (plan: ReturnType<typeof config.plan>) =>
    json ? printableLines(JSON.stringify(plan, null, 2)) : describe(plan, screen, probe());
  try {
    return { text: text(config.plan(...rules)) };
  } catch (error) {
    if (!(error instanceof LandlockError) || error.code === "ERR_LANDLOCK_INVALID_RULE")
      throw error;
    return { text: text(config.bestEffort().plan(...rules)), refusal: refusalOf(error, request) };
  }
}
