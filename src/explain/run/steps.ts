/** The steps in which the kernel handles an operation. */
import type { Operation } from "../../model/operation.ts";
import { presetOf } from "../../presets/presets.ts";
import { flatten } from "../../sandbox/plan.ts";

/** The steps of an operation. Executing a program also executes its interpreters and its loader. */
export function stepsOf(operation: Operation): readonly Operation[] {
  if (operation.kind !== "execute") return [operation];
  const others = programsFor(operation.path).filter((path) => path !== operation.path);
  return [operation, ...others.map((path): Operation => ({ kind: "execute", path }))];
}

const programs = new Map<string, readonly string[]>();

/** The files that executing a program executes. Only the program if its file can't be read. */
function programsFor(path: string): readonly string[] {
  const known = programs.get(path);
  if (known) return known;
  let found: readonly string[];
  try {
    found = flatten([presetOf(`executable=${path}`)], "explain").flatMap((rule) =>
      rule.kind === "fs" && rule.access.includes("execute") ? rule.paths : [],
    );
  } catch {
    found = [path];
  }
  programs.set(path, found);
  return found;
}
