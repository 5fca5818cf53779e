/** Presets read files to see what to grant. Which of these files do the rules let be changed? */
import type { FsRight } from "../kernel/abi.ts";
import { isWithin } from "../kernel/names.ts";
import type { FsRule, NetRule } from "./rules.ts";

/** Rights with which a file is overwritten, or removed and replaced. */
export const changing: readonly FsRight[] = ["write_file", "remove_file", "remove_dir"];

/**
 * The files that chose what presets grant and that the same rules let be changed: one run can then
 * choose what the next may do. Called only if a rule has such files.
 *
 * @param handled Path rights that are restricted; what is not is for ordinary permissions to say
 * @param places Tells what decides where a path leads, as `placesOf()` does
 */
export function rewritableBy(
  rules: readonly (FsRule | NetRule)[],
  handled: readonly FsRight[],
  places: (path: string) => string[],
): string[] {
  const chosen = new Set<string>();
  const open = new Set<string>();
  for (const rule of rules) {
    if (rule.kind === "net") continue;
    for (const path of rule.chosenBy ?? []) chosen.add(path);
    if (!rule.access.some((right) => changing.includes(right) && handled.includes(right))) continue;
    for (const path of rule.paths) open.add(places(path)[0]!);
  }
  if (open.size === 0) return [];
  const isOpen = (path: string) => {
    const [end, ...links] = places(path);
    if (links.some((link) => isBeneath(link, open))) return true;
    // Nobody needs two names of one file.
    return (end === path || !chosen.has(end!)) && isBeneath(end!, open);
  };
  return [...chosen].filter(isOpen).sort();
}

/** Whether a path is in one of these folders, by their texts. */
export function isBeneath(path: string, open: ReadonlySet<string>): boolean {
  for (const folder of open) if (isWithin(path, folder)) return true;
  return false;
}
