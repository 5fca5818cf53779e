/** What explain names no option for, though Landlock denied it. */
import { governingPlace, isGoverning, leadsToGoverning } from "../../advise/governing.ts";
import { printable } from "../../errors/errors.ts";
import { machineFiles } from "../../model/files.ts";
import type { Denied } from "./denied.ts";

/**
 * Whether a denied change is of what runs later, outside of the sandbox, or in a directory where
 * programs look for that: what would allow it is for a person to decide.
 */
export function isWithheld({ operation, denials }: Denied): boolean {
  const changed = denials.filter(({ right }) => !/^(execute|read_|ioctl|resolve)/.test(right));
  if (!changed.some(({ path }) => path !== undefined)) return false;
  const home = homeOf();
  const named = [
    ...("path" in operation ? [operation.path] : []),
    ...("to" in operation ? [operation.to] : []),
  ];
  const real = named.map((path) => machineFiles.find(path, false).path);
  const places = [...new Set(changed.flatMap(({ path }) => path ?? []))];
  return (
    isOfProcess(places) ||
    [...real, ...places].some((path) => isGoverning(path, home)) ||
    places.some((path) => path === home || leadsToGoverning(path, home))
  );
}

function homeOf(): string | undefined {
  return process.env["HOME"]?.replace(/\/+$/, "");
}

/** What a process sets of itself has another path the next time. */
function isOfProcess(places: readonly string[]): boolean {
  return places.some((path) => /^\/proc\/(\d+|(self|thread-self)\/task\/\d+)(\/|$)/.test(path));
}

/** What is said of them. */
export function withheldNotes(denied: readonly Denied[]): string[] {
  const withheld = denied.filter(isWithheld);
  const paths = withheld.flatMap(({ operation }) => ("path" in operation ? [operation.path] : []));
  const places = paths.filter((path) => !isOfProcess([path]));
  const later = [...new Set(places.map((path) => governingPlace(path, homeOf())))];
  if (later.length === 0) return [];
  const named = later.slice(0, 3).map(printable).join(", ");
  const more = later.length > 3 ? `, and ${later.length - 3} more` : "";
  return [
    `No option is named for writing ${named}${more}: what is there runs later, outside of the sandbox. Most programs do without; if yours does not, add -rw for that.`,
  ];
}
