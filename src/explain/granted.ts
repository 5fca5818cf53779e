/** Presets as questions: whether what they grant is granted already. */
import { lookUpCommand } from "../kernel/lookup.ts";
import { fileRights } from "../kernel/abi.ts";
import { presetOf } from "../presets/presets.ts";
import { flatten } from "../sandbox/plan.ts";
import type { Rule } from "../sandbox/rules.ts";
import { machineFiles } from "../model/files.ts";
import type { Operation } from "../model/operation.ts";

/** What a rule's paths are for, as operations; those that do not exist are left out. */
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

/** What a preset is for, as operations. */
export function presetOperations(spec: string): Operation[] {
  return operationsOf(presetOf(spec));
}

/**
 * What starting a program takes. Where a file cannot be read in here, be it that of an interpreter
 * or a library, it is known up to that one only.
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

/** The file of a command; without one on PATH its name. */
export function programPath(name: string): string {
  const found = lookUpCommand(name);
  return typeof found === "number" ? name : found;
}
