/** Errors in the words of the command line, or of the policy that it names. */
import { messageFor, type LandlockError } from "../errors/errors.ts";
import { FsRule, type Rule } from "../sandbox/rule.ts";
import type { Request } from "./flags.ts";

/**
 * An error for a person at the command line.
 *
 * @param request What the command line asks for; undefined: its words are what is wrong
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
  return fromPolicy ? `${policy.source}: ${messageFor(error, "key")}` : messageFor(error, "option");
}
