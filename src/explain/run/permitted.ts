/** What ordinary permissions say, Landlock aside: access(2) is not restricted by it. */
import { accessSync, constants, statSync } from "node:fs";
import type { Operation } from "../../model/operation.ts";
import { machineFiles } from "../../model/files.ts";
import { fileName, parentOf } from "../../kernel/names.ts";

const { R_OK, W_OK, X_OK } = constants;

/**
 * Whether the permissions of files allow an operation to this process; where they are not asked, as
 * for ports, or for files that are missing, yes. So it is where they may have allowed it: a program
 * can change the mode of its files after it was denied them.
 *
 * @param start When the run began, in milliseconds since 1970
 */
export function permitted(operation: Operation, start: number): boolean {
  const allows = (path: string, mode: number) =>
    isAllowed(path, mode) || changedAt(blockerOf(path)) >= start;
  const changes = (path: string) => allows(parentOf(path), W_OK | X_OK);
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

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(fileName(path), mode);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "EACCES";
  }
}

/** The file whose permissions decide: the first directory that cannot be searched, or itself. */
function blockerOf(path: string): string {
  const names = path.split("/");
  const above = names.map((_, i) => names.slice(0, i).join("/") || "/");
  return above.find((directory) => !isAllowed(directory, X_OK)) ?? path;
}

/** No program can set it back. */
function changedAt(path: string): number {
  try {
    return statSync(fileName(path)).ctimeMs;
  } catch {
    return Infinity;
  }
}
