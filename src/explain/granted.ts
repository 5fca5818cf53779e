/** Turns what presets grant into operations, to ask whether that is already granted. */
import { lookUpCommand } from "../kernel/lookup.ts";
import { fileRights } from "../kernel/abi.ts";
import { presetOf } from "../presets/presets.ts";
import { flatten } from "../sandbox/plan.ts";
import type { Rule } from "../sandbox/rules.ts";
import { machineFiles } from "../model/files.ts";
import type { Operation } from "../model/operation.ts";

/** The operations that a rule allows on its existing paths. */
function operationsOf(rule: Rule): Operation[] {
  return flatten([rule], "explain()").flatMap((one): Operation[] => {
    if (one.kind === "net")
      return one.ports.map((port) => ({ kind: "port", access: one.access, port }));
    return one.paths.flatMap((path): Operation[] => {
      const { file } = machineFiles.find(path, true);
      if (file === undefined) return [];
      const isDirectory = file.type === "directory";
      const access = one.access.filter((right) => isDirectory || fileRights.includes(right));
      return access.length === 0 ? [] : [{ kind: "access", path, access }];
    });
  });
}

/** The operations that a preset allows. */
export function presetOperations(spec: string): Operation[] {
  return operationsOf(presetOf(spec));
}

/**
 * The operations that starting a program needs. If a file can't be read inside the sandbox, such as
 * an interpreter or a library, the list ends with that file.
 */
export function programOperations(path: string): Operation[] {
  try {
    return presetOperations(`executable=${path}`);
  } catch (error) {
    const { path: unread = path } = error as { path?: string };
    return [
      { kind: "execute", path },
      { kind: "access", path: unread, access: ["read_file"] },
    ];
  }
}

/** The file of a command, or its name if PATH doesn't have it. */
export function programPath(name: string): string {
  const found = lookUpCommand(name);
  return typeof found === "number" ? name : found;
}
