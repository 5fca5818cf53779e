/** What of its own a sandboxed program may change: a later run would be started by it. */
import type { FsRight } from "../kernel/abi.ts";
import { placesOf } from "../kernel/walk.ts";
import { changing, isBeneath } from "../sandbox/rewritable.ts";

/** Rights with which a file is changed, or comes to a place. */
const planting: readonly FsRight[] = [...changing, "make_reg", "make_sym"];

/** What counts here of a rule as a plan has it. */
type PlannedRule =
  { readonly path: string; readonly access: readonly FsRight[] } | { readonly port: number };

/** The first of these files and directories that the rules let be changed, or that files can be put in. */
export function firstWritable(
  rules: readonly PlannedRule[],
  places: readonly string[],
): string | undefined {
  const open = new Set<string>();
  for (const rule of rules) {
    if ("port" in rule || !rule.access.some((right) => planting.includes(right))) continue;
    open.add(placesOf(rule.path)[0]!);
  }
  return open.size === 0
    ? undefined
    : places.find((place) => placesOf(place).some((at) => isBeneath(at, open)));
}

/** Says in one line which files of presets a program can change. */
export function rewritableText([first, ...others]: readonly string[]): string {
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  return `it can change ${JSON.stringify(first)}${more}, which chooses what a preset grants the next time: keep that out of what may be written`;
}
