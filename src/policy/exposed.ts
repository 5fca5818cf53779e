/** Finds what a sandboxed program may change although it decides about later runs. */
import type { FsRight } from "../kernel/abi.ts";
import { placesOf } from "../kernel/walk.ts";
import { planting } from "../sandbox/rewritable.ts";
import { isBeneath } from "../kernel/names.ts";

/** The parts of a planned rule that matter here. */
type PlannedRule =
  { readonly path: string; readonly access: readonly FsRight[] } | { readonly port: number };

/** The first of these files and directories that the rules allow changing, or adding files to. */
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

/** Names the files of presets that a program can change, in one line. */
export function rewritableText([first, ...others]: readonly string[]): string {
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  return `it can change ${JSON.stringify(first)}${more}, which decides what a preset grants the next time: keep it out of writable directories`;
}
