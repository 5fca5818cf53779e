/** Presets read files to see what to grant. Which of these files do the rules let be changed? */
import type { FsRight } from "../kernel/abi.ts";
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
 * @param real Gives a path as `withoutLinks()` does
 */
export function rewritableBy(
  rules: readonly (FsRule | NetRule)[],
  handled: readonly FsRight[],
  real: (path: string) => string,
): string[] {
  const chosen = new Set<string>();
  const open = new Set<string>();
  for (const rule of rules) {
    if (rule.kind === "net") continue;
    for (const path of rule.chosenBy ?? []) chosen.add(path);
    if (!rule.access.some((right) => changing.includes(right) && handled.includes(right))) continue;
    for (const path of rule.paths) open.add(real(path));
  }
  if (open.size === 0) return [];
  const isOpen = (path: string) => isBeneath(path, open);
  // A link can be replaced where it is, and what it leads to where that is.
  const placeOf = (path: string) =>
    `${real(parentOf(path))}/${path.slice(path.lastIndexOf("/") + 1)}`;
  return [...chosen].filter((path) => isOpen(real(path)) || isOpen(placeOf(path))).sort();
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
    open.add(withoutLinks(rule.path));
  }
  return open.size === 0 ? undefined : places.find((place) => isBeneath(withoutLinks(place), open));
}

function isBeneath(path: string, open: ReadonlySet<string>): boolean {
  return open.has(path) || (path !== "/" && isBeneath(parentOf(path), open));
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0)) || "/";
}

/** A path without a slash at its end: nobody is asked where it leads. */
export function asWritten(path: string): string {
  return path.replace(/\/+$/, "") || "/";
}

/** An absolute path without links, as far as it exists: a rule may be for what is made later. */
export function withoutLinks(path: string): string {
  const { realpathSync } = require("node:fs") as typeof import("node:fs");
  const { resolve } = require("node:path") as typeof import("node:path");
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    const parent = withoutLinks(parentOf(whole));
    return `${parent === "/" ? "" : parent}${whole.slice(whole.lastIndexOf("/"))}`;
  }
}

/** Says so in one line. */
export function rewritableText([first, ...others]: readonly string[]): string {
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  return `it can change ${JSON.stringify(first)}${more}, which chooses what a preset grants the next time: keep that out of what may be written`;
}
