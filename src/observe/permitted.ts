/** What ordinary permissions say, Landlock aside: access(2) is not restricted by it. */
import { accessSync, constants } from "node:fs";
import type { Operation } from "../explain/operation.ts";
import { machineFiles } from "../explain/files.ts";
import { fileName, parentOf } from "../kernel/names.ts";

const { R_OK, W_OK, X_OK } = constants;

/**
 * Whether the permissions of files allow an operation to this process; where they are not asked, as
 * for ports, or for files that are missing, yes.
 */
export function permitted(operation: Operation): boolean {
  switch (operation.kind) {
    case "open": {
      const { path, read, write, truncate, create, unnamed } = operation;
      const wanted = (read ? R_OK : 0) | (write || truncate || unnamed ? W_OK : 0);
      if (create && machineFiles.find(path, true).file === undefined) return changes(path);
      return allows(path, wanted);
    }
    case "execute":
      return allows(operation.path, X_OK);
    case "make":
    case "remove":
      return changes(operation.path);
    case "rename":
      return changes(operation.path) && changes(operation.to);
    case "link":
      return changes(operation.to);
    case "truncate":
    case "resolve_unix":
      return allows(operation.path, W_OK);
    default:
      return true;
  }
}

/** Whether entries of a path's directory may be made and removed. */
function changes(path: string): boolean {
  return allows(parentOf(path), W_OK | X_OK);
}

function allows(path: string, mode: number): boolean {
  try {
    accessSync(fileName(path), mode);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "EACCES";
  }
}
