/** Named bundles of rules for what programs need to keep running. */
import { currentDirectory } from "../kernel/names.ts";
import { bun, cwd, dns, executable, modules, named, timezone, tls, tmp } from "./lazy.ts";
import type { Rule } from "../sandbox/rules.ts";

/**
 * Functions that return rules for what programs need to keep running. Each grants exactly what its
 * documentation says, in its state at the time of the call. Files that don't exist are skipped and
 * reported under `skippedPaths`.
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
 * The preset that a text names, for command lines and files. The text is the preset's name, with
 * its value after `=`: `"dns"`, `"cwd=write"`, `"executable=git"` or `"modules=./main.ts"`.
 *
 * @param spec The text
 * @param base The folder that relative paths refer to; default: the current directory
 * @returns What the preset returns
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if there is no such preset, with the names of
 *   all presets; and the errors of the preset itself
 */
export function presetOf(spec: string, base?: string): Rule {
  return named(spec, base ?? currentDirectory());
}
