/** Ordinary permissions of files, which Landlock's layers do not change what access(2) says of. */
import { accessSync, constants } from "node:fs";
import { quoted } from "../errors/errors.ts";
import type { Operation } from "../model/operation.ts";
import type { Files } from "../model/place.ts";

const { F_OK, R_OK, W_OK, X_OK } = constants;

/**
 * What mode bits, ACLs and read-only mounts deny of some operations, as `writing "/etc/hosts"`.
 * Sticky directories, attributes and limits of the file system are not looked at.
 *
 * @returns Nothing where they allow all of it
 */
export function deniedByPermissions(
  operations: readonly Operation[],
  files: Files,
): string | undefined {
  for (const operation of operations) {
    const way: [string, number][] = "path" in operation ? [[operation.path, F_OK]] : [];
    for (const [path, mode] of [...way, ...wantedBy(operation, files)]) {
      if (!isAllowed(path, mode)) return `${verbs[mode]} ${quoted(path)}`;
    }
  }
  return undefined;
}

const verbs: Readonly<Record<number, string>> = {
  [F_OK]: "searching the way to",
  [R_OK]: "reading",
  [W_OK]: "writing",
  [X_OK]: "executing or searching",
};

/** `access(2)`: Landlock does not restrict it. */
function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch (error) {
    return !["EACCES", "EROFS"].includes((error as { code: string }).code);
  }
}

/** Files and directories and how they are to be used. */
function wantedBy(operation: Operation, files: Files): [path: string, mode: number][] {
  const { kind } = operation;
  if (kind === "port" || kind === "scope") return [];
  // A link leaves the directory of its file as it is.
  if (kind === "link") return entry(operation.to, files);
  if (kind === "rename") return [operation.to, operation.path].flatMap((one) => entry(one, files));
  const { path } = operation;
  if (kind === "make" || kind === "remove") return entry(path, files);
  if (kind === "access") return operation.access.flatMap((right) => accessOf(right, path, files));
  if (files.find(path, true).file === undefined) {
    return kind === "open" && operation.create ? entry(path, files) : [[path, R_OK]];
  }
  if (kind === "execute") return [[path, X_OK]];
  if (kind !== "open") return kind === "ioctl" ? [] : [[path, W_OK]];
  const read: [string, number][] = operation.read ? [[path, R_OK]] : [];
  return operation.write ? [...read, [path, W_OK]] : read;
}

function accessOf(right: string, path: string, files: Files): [string, number][] {
  if (right === "read_file" || right === "read_dir") return [[path, R_OK]];
  if (right === "write_file" || right === "truncate") return [[path, W_OK]];
  if (right === "execute") return [[path, X_OK]];
  const isDirectory = files.find(path, true).file?.type === "directory";
  if (/^(make|remove)_/.test(right)) return isDirectory ? [[path, W_OK]] : entry(path, files);
  return [];
}

/** Making or removing a name is writing the directory. */
function entry(path: string, files: Files): [string, number][] {
  const [directory] = files.find(path, false).parents;
  return directory ? [[directory.path, W_OK]] : [[path, R_OK]];
}
