/** Finds the operations that use secrets, and the rights that they need. */
import type { Secrets } from "./secrets.ts";
import { statsOf } from "./stats.ts";
import type { FileOperation } from "../model/operation.ts";
import type { FsRight } from "../kernel/abi.ts";

/** The secret name that a file operation uses, if any. */
export function secretName(
  secrets: Secrets,
  operation: FileOperation,
  found: string | undefined,
): string | undefined {
  const { path } = operation;
  // Under a new name, a moved secret would be read like any other file.
  if ("to" in operation) {
    return secrets.nameFor(path, operation.to) ?? secrets.nameFor(operation.to);
  }
  const real = found === undefined || found === path ? undefined : secrets.nameFor(found);
  return real ?? secrets.nameFor(path);
}

/** The rights on the file itself that an operation needs. */
export function rightsToUse(operation: FileOperation, path: string): readonly FsRight[] {
  switch (operation.kind) {
    case "open":
      return [
        ...(operation.read
          ? ([statsOf(path)?.isDirectory() ? "read_dir" : "read_file"] as const)
          : []),
        ...(operation.write ? (["write_file", "truncate"] as const) : []),
      ];
    case "truncate":
    case "resolve_unix":
      return [operation.kind];
    case "ioctl":
      return ["ioctl_dev"];
    case "rename":
    case "link":
      return ["refer"];
    default:
      return operation.kind === "access" ? operation.access : [];
  }
}
