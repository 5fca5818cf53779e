/** Decides which of all rules each operation needs. */
import type { Coverage } from "../../advise/coverage.ts";
import type { FsRight, NetRight } from "../../kernel/abi.ts";
import { isWithin, parentOf } from "../../kernel/names.ts";
import { accessOf, type RuleSpec } from "../spell.ts";
import { wordsOf } from "./combine.ts";
import type { Denied } from "./denied.ts";

/** A rule for one path, port or preset, and what a preset grants. */
export interface Candidate {
  readonly ruleSpec: RuleSpec;
  readonly coverage?: Coverage;
}

/** A right that an operation lacks, and where. */
interface Lack {
  readonly right: string;
  readonly path: string | undefined;
  readonly port: number | undefined;
}

/**
 * The words for each operation. If one rule is enough, only its words; empty if the rules don't
 * allow it.
 *
 * @param candidates The rules that together allow the operations
 */
export function assignWords(
  denied: readonly Denied[],
  candidates: readonly Candidate[],
): readonly (readonly string[])[] {
  return denied.map(({ denials }) => {
    const lacks = denials.flatMap(({ right, path, port, gained = [right] }) =>
      gained.map((one): Lack => ({ right: one, path, port })),
    );
    const granted = candidates.map((one) => lacks.filter((lack) => grants(one, lack)));
    if (new Set(granted.flat()).size < lacks.length) return [];
    const enough = granted.findIndex(({ length }) => length === lacks.length);
    const isUsed = (at: number) => (enough < 0 ? granted[at]!.length > 0 : at === enough);
    return wordsOf(candidates.flatMap(({ ruleSpec }, at) => (isUsed(at) ? ruleSpec : [])));
  });
}

function grants({ ruleSpec, coverage }: Candidate, { right, path, port }: Lack): boolean {
  if (ruleSpec.kind === "port") return ruleSpec.right === right && ruleSpec.ports[0] === port;
  if (path === undefined) {
    return port !== undefined && coverage?.hasPort(right as NetRight, port) === true;
  }
  if (ruleSpec.kind === "preset") return coverage!.rightsOn(path).has(right as FsRight);
  const place = ruleSpec.paths[0]!;
  // The model has what is to be made in its directory.
  const isMade = ruleSpec.ifMissing === "create" && parentOf(place) === path;
  return isMade || (isWithin(path, place) && accessOf(ruleSpec).some((one) => one === right));
}
