/** Decides which of all rules each operation needs. */
import { isWithin } from "../../kernel/names.ts";
import type { Denial } from "../../model/model.ts";
import type { Operation } from "../../model/operation.ts";
import { accessOf, fixOf, type RuleSpec } from "../spell.ts";
import { wordsOf } from "./combine.ts";
import type { Denied } from "./denied.ts";
import type { WhatIf } from "./what-if.ts";

/**
 * The words for each operation. If one rule is enough, only its words; empty if the rules don't
 * allow it.
 *
 * @param ruleSpecs The rules that together allow the operations, each for one path, port or preset
 */
export function assignWords(
  denied: readonly Denied[],
  sandbox: WhatIf,
  ruleSpecs: readonly RuleSpec[],
): readonly (readonly string[])[] {
  const known = new Map<RuleSpec, WhatIf>();
  const whatIfWith = (ruleSpec: RuleSpec) => {
    const whatIf = known.get(ruleSpec) ?? sandbox.with([ruleSpec]);
    known.set(ruleSpec, whatIf);
    return whatIf;
  };
  const whole = sandbox.with(ruleSpecs);
  return denied.map(({ operation, denials: told }) => {
    const made = ruleSpecs.find(
      (ruleSpec) =>
        "ifMissing" in ruleSpec &&
        ruleSpec.ifMissing === "create" &&
        "path" in operation &&
        isWithin(sandbox.files.find(operation.path, true).path, ruleSpec.paths[0]!),
    );
    if (made) return fixOf([made]).flags;
    const denials = sandbox.missing(operation);
    if (isGone(operation, sandbox))
      return wordsOf(ruleSpecs.filter((ruleSpec) => grantsSome(ruleSpec, told)));
    if (whole.missing(operation).length > 0) return [];
    const tried = ruleSpecs
      .filter((ruleSpec) => denials.some((denial) => mayHelp(ruleSpec, denial, sandbox)))
      .map((ruleSpec) => ({ ruleSpec, left: whatIfWith(ruleSpec).missing(operation).length }));
    const enough = tried.find(({ left }) => left === 0);
    if (enough) return fixOf([enough.ruleSpec]).flags;
    const helpful = tried
      .filter(({ left }) => left < denials.length)
      .map(({ ruleSpec }) => ruleSpec);
    return wordsOf(helpful);
  });
}

/**
 * Whether nothing can be checked any more, because the command removed the file that it could not
 * move.
 */
function isGone(operation: Operation, { files }: WhatIf): boolean {
  if (operation.kind !== "rename" && operation.kind !== "link") return false;
  return files.find(operation.path, false).file === undefined;
}

/** Whether a rule grants a denied right. */
function grantsSome(ruleSpec: RuleSpec, denials: readonly Denial[]): boolean {
  if (!("paths" in ruleSpec)) return false;
  const access: readonly string[] = accessOf(ruleSpec);
  return denials.some(
    ({ right, path }) =>
      path !== undefined && access.includes(right) && isWithin(path, ruleSpec.paths[0]!),
  );
}

/** Whether a rule concerns a denial. A preset may concern anything. */
function mayHelp(ruleSpec: RuleSpec, { path, port }: Denial, { files }: WhatIf): boolean {
  if (ruleSpec.kind === "preset") return true;
  if (ruleSpec.kind === "port") return ruleSpec.ports[0] === port;
  return path !== undefined && isWithin(path, files.find(ruleSpec.paths[0]!, true).path);
}
