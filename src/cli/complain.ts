/** Reports errors to the person at the command line. */
import { errorFor, messageFor, printable, type LandlockError } from "../errors/errors.ts";
import { FsRule, type Rule } from "../sandbox/rules.ts";
import { writeError } from "../terminal/output.ts";
import { screenOf } from "../terminal/screen.ts";
import { paint } from "../terminal/text.ts";
import type { Request } from "./flags.ts";

/** Prints one line about an error on standard error. */
export function complain(message: string): void {
  const name = paint("red", "landlock-restrict:", screenOf(2));
  writeError(`${name} ${printable(message)}\n`);
}

/**
 * The message of an error, in the words of the command line or the policy.
 *
 * @param request The parsed command line; undefined if parsing it failed
 */
export function refusalOf(error: LandlockError, request?: Request): string {
  const { policy, strict, rules } = request ?? {};
  if (policy === undefined) return messageFor(error, "option");
  const { code, path } = error;
  const names = (rule: Rule) => rule instanceof FsRule && rule.paths.includes(path!);
  const fromPolicy =
    path === undefined
      ? code === "ERR_LANDLOCK_ABI_TOO_OLD" && !strict
      : rules!.findLast(names) === policy.rules.findLast(names);
  if (!fromPolicy) return messageFor(error, "option");
  return errorFor(error, policy.notation, policy.source).message;
}
