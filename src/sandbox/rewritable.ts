/** Presets read files to see what to grant. Which of these files do the rules let be changed? */
import type { FsRight } from "../kernel/abi.ts";
import { isWithin } from "../kernel/names.ts";
import { close } from "../kernel/syscalls.ts";
import { walk, wholePath } from "../kernel/walk.ts";
import type { FsRule, NetRule } from "./rule.ts";

/** Rights with which a file is overwritten, or removed and replaced. */
const changing: readonly FsRight[] = ["write_file", "remove_file", "remove_dir"];

/** The same, and those with which a file comes to a place. */
const planting: readonly FsRight[] = [...changing, "make_reg", "make_sym"];

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

function isBeneath(path: string, open: ReadonlySet<string>): boolean {
  for (const folder of open) if (isWithin(path, folder)) return true;
  return false;
}

/** Only the path itself, without a slash at its end: nobody is asked where it leads. */
export function asWritten(path: string): string[] {
  return [path.replace(/\/+$/, "") || "/"];
}

/**
 * What decides where a path leads: first its place without links, where it need not exist, as a
 * rule may be for what is made later; then the directories of the links on the way.
 */
export function placesOf(path: string): string[] {
  if (process.platform !== "linux") return asWritten(path);
  const { fd, end, rest, links } = walk(wholePath(path));
  if (fd >= 0) close(fd);
  return [[end === "/" && rest.length > 0 ? "" : end, ...rest].join("/"), ...links];
}

/** Says so in one line. */
export function rewritableText([first, ...others]: readonly string[]): string {
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  return `it can change ${JSON.stringify(first)}${more}, which chooses what a preset grants the next time: keep that out of what may be written`;
}
