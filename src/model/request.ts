/**
 * The rights that an operation needs, and on which file. Source: the hooks of
 * `security/landlock/fs.c` of Linux 7.3.
 */
import { fileRights, type FsRight } from "../kernel/abi.ts";
import type { KernelVersion } from "./layer.ts";
import type { FileOperation, FileType, Open } from "./operation.ts";
import type { Files, Inode, Place } from "./place.ts";

/** Rights needed on a file. `chain` is the file and its parent directories. */
interface Request {
  readonly chain: readonly Inode[];
  readonly rights: readonly FsRight[];
}

/** The rights that an operation needs, in the kernel's order. Empty if the path is missing. */
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
    // A file made by the same call has nothing to truncate.
    if (truncate && place.file.type === "regular") rights.push("truncate");
    return rights.length === 0 ? [] : [{ chain: chainOf(place), rights }];
  }
  if (!create || place.parents.length === 0) return [];
  return [...inDirectory(place, "make_reg"), ...inDirectory(place, ...rights)];
}

/** Checks entry rights on the directory, and file rights on the file. */
function accessRequests(access: readonly FsRight[], place: Place): Request[] {
  const onFile = access.filter((right) => fileRights.includes(right));
  const onEntries = access.filter((right) => !fileRights.includes(right));
  const directory = place.file?.type === "directory" ? chainOf(place) : place.parents;
  return [
    { chain: chainOf(place), rights: onFile },
    { chain: directory, rights: onEntries },
  ].filter(({ chain, rights }) => chain.length > 0 && rights.length > 0);
}

/** Erratum 4: making a whiteout needs `make_reg` on fixed kernels, and `make_char` on others. */
export const whiteoutErratum = 1 << 3;

/** The right to make a file of some type (kernel: `get_mode_access()`). */
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

/** The right to remove a file, if it exists (kernel: `maybe_remove()`). */
export function removeRight(file: Inode | undefined): readonly FsRight[] {
  if (file === undefined) return [];
  return [file.type === "directory" ? "remove_dir" : "remove_file"];
}
