/** What the kernel does for an operation of a program. */
import type { Operation } from "../../model/operation.ts";
import { presetOf } from "../../presets/presets.ts";
import { flatten } from "../../sandbox/plan.ts";

/** As one step each: executing a program is executing its interpreters and its loader too. */
export function stepsOf(operation: Operation): readonly Operation[] {
  if (operation.kind !== "execute") return [operation];
  const others = programsFor(operation.path).filter((path) => path !== operation.path);
  return [operation, ...others.map((path): Operation => ({ kind: "execute", path }))];
}

const programs = new Map<string, readonly string[]>();

/** What is executed where a program is; itself alone where its file does not tell. */
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
