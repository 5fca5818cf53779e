/** Finds the files that decide what presets grant, but that the rules allow changing. */
import type { FsRight } from "../kernel/abi.ts";
import { isBeneath, isWithin, parentOf } from "../kernel/names.ts";
import type { FsRule, NetRule } from "./rules.ts";

/** Rights to overwrite a file, or to remove and replace it. */
const changing: readonly FsRight[] = ["write_file", "remove_file", "remove_dir"];

/** Rights to change a file, or to put one at a path. */
export const planting: readonly FsRight[] = [...changing, "make_reg", "make_sym", "refer"];

/**
 * The files whose content decided what presets grant, but that the same rules allow changing, and
 * missing files that would decide it. One run can then choose what the next one may do. Only called
 * if a rule has such files.
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
  const granted = new Set<string>();
  const changed = new Set<string>();
  const planted = new Set<string>();
  for (const rule of rules) {
    if (rule.kind === "net") continue;
    for (const path of rule.chosenBy ?? []) chosen.add(path);
    if (rule.identities && rule.access.includes("read_file")) {
      for (const path of rule.paths) granted.add(path);
    }
    const has = (rights: readonly FsRight[]) =>
      rule.access.some((right) => rights.includes(right) && handled.includes(right));
    if (!has(planting)) continue;
    for (const path of rule.paths) {
      const place = places(path)[0]!;
      planted.add(place);
      if (has(changing)) changed.add(place);
    }
  }
  if (planted.size === 0) return [];
  const isOpen = (path: string) => {
    const [end, ...links] = places(path);
    if (links.some((link) => isBeneath(link, changed))) return true;
    if (end !== path) {
      // List only one of several names of a file.
      return !chosen.has(end!) && isBeneath(end!, changed);
    }
    if (granted.has(path)) return isBeneath(path, changed);
    if (!isBeneath(path, planted)) return false;
    // If the folder may be changed, the files in it are listed already.
    const [, holder] = /^(.*)\/(?:node_modules|glibc-hwcaps)\//s.exec(path) ?? [];
    const folder = holder ?? parentOf(path);
    return !isBeneath(folder, changed) || !granted.values().some((one) => isWithin(one, folder));
  };
  return [...chosen].filter(isOpen).sort();
}
