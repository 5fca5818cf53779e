/**
 * What an operation asks for: which rights, on which file. Source: the hooks of
 * `security/landlock/fs.c` of Linux 7.3.
 */
import { fileRights, type FsRight } from "../kernel/abi.ts";
import type { KernelVersion } from "./layer.ts";
import type { FileOperation, FileType, Open } from "./operation.ts";
import type { Files, Inode, Place } from "./place.ts";

/** Rights wanted on a file: itself and the directories it is in. */
interface Request {
  readonly chain: readonly Inode[];
  readonly rights: readonly FsRight[];
}

/** What an operation wants, in the order in which the kernel asks; nothing where a path is missing. */
export function requestsOf(
  operation: Exclude<FileOperation, { kind: "rename" | "link" }>,
  files: Files,
  kernel: KernelVersion,
): Request[] {
  const { kind, path } = operation;
  const follow = kind !== "make" && kind !== "remove";
  const place = files.find(path, follow);
  if (kind === "open") return openRequests(operation, place);
  if (kind === "make") return inDirectory(place, makeRight(operation.type, kernel));
  if (kind === "remove") {
    return inDirectory(place, operation.directory ? "remove_dir" : "remove_file");
  }
  if (kind === "access") return accessRequests(operation.access, place);
  if (place.file === undefined) return [];
  const on = (...rights: FsRight[]): Request[] => [{ chain: chainOf(place), rights }];
  if (kind === "execute") return on("read_file", "execute");
  if (kind === "ioctl") {
    return place.file.type === "char" || place.file.type === "block" ? on("ioctl_dev") : [];
  }
  return on(kind);
}

function chainOf(place: Place): readonly Inode[] {
  return place.file ? [place.file, ...place.parents] : place.parents;
}

function inDirectory({ parents }: Place, ...rights: FsRight[]): Request[] {
  return parents.length === 0 ? [] : [{ chain: parents, rights }];
}

function openRequests({ read, write, truncate, create, unnamed }: Open, place: Place): Request[] {
  if (place.file?.type === "directory" && !unnamed) {
    return read ? [{ chain: chainOf(place), rights: ["read_dir"] }] : [];
  }
  const rights: FsRight[] = [];
  if (read) rights.push("read_file");
  if (write) rights.push("write_file");
  if (place.file) {
    // A file that is made in the same call has nothing to truncate.
    if (truncate && place.file.type === "regular") rights.push("truncate");
    return rights.length === 0 ? [] : [{ chain: chainOf(place), rights }];
  }
  if (!create || place.parents.length === 0) return [];
  return [...inDirectory(place, "make_reg"), ...inDirectory(place, ...rights)];
}

/** Rights about entries are asked of the directory, those about files of the file. */
function accessRequests(access: readonly FsRight[], place: Place): Request[] {
  const onFile = access.filter((right) => fileRights.includes(right));
  const onEntries = access.filter((right) => !fileRights.includes(right));
  const directory = place.file?.type === "directory" ? chainOf(place) : place.parents;
  return [
    { chain: chainOf(place), rights: onFile },
    { chain: directory, rights: onEntries },
  ].filter(({ chain, rights }) => chain.length > 0 && rights.length > 0);
}

/** Erratum 4: a whiteout counts as a regular file that is made, and no more as a device. */
export const whiteoutErratum = 1 << 3;

/** The right to make a file of a type (kernel: `get_mode_access()`). */
export function makeRight(type: FileType, { errata }: KernelVersion): FsRight {
  if (type !== "whiteout") return makeRights[type];
  return (errata & whiteoutErratum) === 0 ? "make_char" : "make_reg";
}

const makeRights: Readonly<Record<Exclude<FileType, "whiteout">, FsRight>> = {
  regular: "make_reg",
  directory: "make_dir",
  symlink: "make_sym",
  fifo: "make_fifo",
  socket: "make_sock",
  char: "make_char",
  block: "make_block",
};

/** The right to remove a file, if there is one (kernel: `maybe_remove()`). */
export function removeRight(file: Inode | undefined): readonly FsRight[] {
  if (file === undefined) return [];
  return [file.type === "directory" ? "remove_dir" : "remove_file"];
}
