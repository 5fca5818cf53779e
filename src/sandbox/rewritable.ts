/** Finds the files that decide what presets grant, but that the rules allow changing. */
import type { FsRight } from "../kernel/abi.ts";
import { isWithin } from "../kernel/names.ts";
import type { FsRule, NetRule } from "./rules.ts";

/** Rights to overwrite a file, or to remove and replace it. */
export const changing: readonly FsRight[] = ["write_file", "remove_file", "remove_dir"];

/**
 * The files whose content decided what presets grant, but that the same rules allow changing. One
 * run can then choose what the next one may do. Only called if a rule has such files.
 *
 * @param handled The path rights that are restricted; ordinary permissions decide about others
 * @param places Returns the places that decide where a path leads, like `placesOf()`
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
    // List only one of several names of a file.
    return (end === path || !chosen.has(end!)) && isBeneath(end!, open);
  };
  return [...chosen].filter(isOpen).sort();
}

/** Whether a path is in one of these folders, by their texts. */
export function isBeneath(path: string, open: ReadonlySet<string>): boolean {
  for (const folder of open) if (isWithin(path, folder)) return true;
  return false;
}
