/** Ordinary file permissions as access(2) reports them. Landlock doesn't restrict that call. */
import { accessSync, constants, statSync } from "node:fs";
import { quoted } from "../errors/errors.ts";
import { fileName } from "../kernel/names.ts";
import { machineFiles } from "../model/files.ts";
import type { Operation } from "../model/operation.ts";
import type { Files } from "../model/place.ts";

const { F_OK, R_OK, W_OK, X_OK } = constants;

/** A file or directory, and the kind of access to it. */
type Wanted = readonly [path: string, mode: number];

/**
 * What mode bits, ACLs and read-only mounts deny of some operations, such as
 * `writing "/etc/hosts"`. It ignores sticky directories, file attributes and limits of the file
 * system.
 *
 * @returns Undefined if they allow everything
 */
export function deniedByPermissions(
  operations: readonly Operation[],
  files: Files,
): string | undefined {
  const [first] = operations.flatMap((operation) => deniedOf(operation, files));
  return first && `${verbs[first[1]]} ${quoted(first[0])}`;
}

/**
 * Whether ordinary permissions may have allowed an operation of a run. The program may have changed
 * a file's mode since it was denied.
 *
 * @param start When the run began, in milliseconds since 1970
 */
export function permitted(operation: Operation, start: number): boolean {
  // Only used for a deleted file, whose permissions are unknown now.
  if (operation.kind === "access") return true;
  return deniedOf(operation, machineFiles).every(([path]) => changedAt(blockerOf(path)) >= start);
}

const verbs: Readonly<Record<number, string>> = {
  [F_OK]: "searching the way to",
  [R_OK]: "reading",
  [W_OK]: "writing",
  [X_OK]: "executing or searching",
};

function deniedOf(operation: Operation, files: Files): Wanted[] {
  const way: Wanted[] = "path" in operation ? [[operation.path, F_OK]] : [];
  return [...way, ...wantedBy(operation, files)].filter(([path, mode]) => !isAllowed(path, mode));
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(fileName(path), mode);
    return true;
  } catch (error) {
    return !["EACCES", "EROFS"].includes((error as { code: string }).code);
  }
}

/** The files and directories that operations access, and how. */
function wantedBy(operation: Operation, files: Files): Wanted[] {
  const { kind } = operation;
  if (kind === "port" || kind === "scope") return [];
  // Linking doesn't change the directory of the existing file.
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
  const { read, write, truncate, unnamed } = operation;
  return [
    ...(read ? [[path, R_OK] as const] : []),
    ...(write || truncate || unnamed ? [[path, W_OK] as const] : []),
  ];
}

function accessOf(right: string, path: string, files: Files): Wanted[] {
  if (right === "read_file" || right === "read_dir") return [[path, R_OK]];
  if (right === "write_file" || right === "truncate") return [[path, W_OK]];
  if (right === "execute") return [[path, X_OK]];
  const isDirectory = files.find(path, true).file?.type === "directory";
  if (/^(make|remove)_/.test(right)) return isDirectory ? [[path, W_OK]] : entry(path, files);
  return [];
}

/** Making or removing a name needs writing and searching its directory. */
function entry(path: string, files: Files): Wanted[] {
  const [directory] = files.find(path, false).parents;
  if (!directory) return [[path, R_OK]];
  return [W_OK, X_OK].map((mode) => [directory.path, mode] as const);
}

/**
 * The file whose permissions decide: the first directory that can't be searched, or the file
 * itself.
 */
function blockerOf(path: string): string {
  const names = path.split("/");
  const above = names.map((_, i) => names.slice(0, i).join("/") || "/");
  return above.find((directory) => !isAllowed(directory, X_OK)) ?? path;
}

/** The change time in milliseconds since 1970. No program can set it back. */
function changedAt(path: string): number {
  try {
    return statSync(fileName(path)).ctimeMs;
  } catch {
    return Infinity;
  }
}
