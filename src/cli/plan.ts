/** `landlock-restrict plan`: what would be asked of this kernel. Nothing is enforced. */
import { LandlockError, printableLines } from "../errors/errors.ts";
import { probe } from "../kernel/probe.ts";
import type { Screen } from "../terminal/screen.ts";
import { describe } from "./describe.ts";
import type { Request } from "./flags.ts";
import { refusalOf } from "./complain.ts";

/** What would be done, and why it would be refused, if it would be. */
interface DryRun {
  readonly text: string;
  /** The error of a strict Config on a kernel that lacks something; the text does without it. */
  readonly refusal?: string;
}

/**
 * Makes the plan for this kernel, and opens no path.
 *
 * @param screen Where the text is shown
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where rules and Config do not fit
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
