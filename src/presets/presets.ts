/** Named bundles of rules: what programs need to keep running. */
import { currentDirectory } from "../kernel/names.ts";
import { bun, cwd, dns, executable, modules, named, timezone, tls, tmp } from "./lazy.ts";
import type { Rule } from "../sandbox/rule.ts";

/**
 * What programs need to keep running, as functions that return rules. Each grants what its
 * documentation says and nothing else, as it is at the time of the call; files that do not exist
 * are skipped, and reported under `skippedPaths`.
 */
export const presets = Object.freeze({
  bun,
  dns,
  tls,
  timezone,
  tmp,
  cwd,
  executable,
  modules,
});

/**
 * The preset that a text names, for command lines and files: its name, and behind `=` what it
 * takes, as `"dns"`, `"cwd=write"`, `"executable=git"`, `"modules=./main.ts"`.
 *
 * @param spec The text
 * @param base The folder that relative paths refer to; default: the current directory
 * @returns What the preset returns
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where there is no such preset, naming those
 *   there are; and as the preset does
 */
export function presetOf(spec: string, base?: string): Rule {
  return named(spec, base ?? currentDirectory());
}
