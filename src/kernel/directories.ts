/**
 * Makes the missing directories of rules with `.createIfMissing()`. Each one is made and opened in
 * the directory that was opened before, so nobody can redirect it by replacing a name.
 */
import { ptr } from "bun:ffi";
import { EEXIST, ENOENT } from "../errors/errno.ts";
import { bytesOf } from "./names.ts";
import { close, fcntl, openIn, syscall } from "./syscalls.ts";
import { AT_REMOVEDIR, F_DUPFD_CLOEXEC, NR, O_DIRECTORY, O_NOFOLLOW, O_PATH } from "./uapi.ts";
import { openEntry, walk, wholePath, type Way } from "./walk.ts";

/** An open directory, and how to remove it if it was made. */
export interface Made {
  readonly fd: number;
  readonly folder: number;
  readonly name: string;
  readonly isNew: boolean;
}

/**
 * Finds the place where a missing directory must be made.
 *
 * @returns Where the path leads. Its `fd` is the last directory that exists, or undefined if the
 *   path has no missing name of its own
 */
export function findMissing(path: string): Omit<Way, "fd"> & { readonly fd: number | undefined } {
  let folder: number | undefined;
  const way = walk(wholePath(path), (at, name) => {
    const found = openEntry(at, name);
    if (found === -ENOENT) folder = fcntl(at, F_DUPFD_CLOEXEC, 0);
    return found;
  });
  if (way.fd >= 0) close(way.fd);
  if (!way.isDangling || folder === undefined) return { ...way, fd: folder };
  close(folder);
  return { ...way, fd: undefined };
}

/**
 * Makes directories, each inside the one before.
 *
 * @param folder An open directory
 * @param names Names that don't exist; directories that exist by now are kept
 * @param made Receives each directory, in order, for `closeMade()`
 * @returns The descriptor of the last directory, or -errno
 */
export function makeDirectories(folder: number, names: readonly string[], made: Made[]): number {
  const way = [folder];
  for (const name of names) {
    if (name === "..") {
      if (way.length === 1) return -ENOENT;
      way.pop();
      continue;
    }
    const at = way.at(-1)!;
    const result = syscall(NR.mkdirat, at, ptr(bytesOf(`${name}\0`)), 0o777);
    if (result < 0 && result !== -EEXIST) return result;
    const fd = openIn(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    made.push({ fd, folder: at, name, isNew: result === 0 });
    if (fd < 0) return fd;
    way.push(fd);
  }
  return way.at(-1)!;
}

/**
 * Closes the directories.
 *
 * @param remove Whether to remove those that were made, unless they have content by now
 */
export function closeMade(made: readonly Made[], remove: boolean): void {
  for (const { fd, folder, name, isNew } of made.toReversed()) {
    if (remove && isNew) syscall(NR.unlinkat, folder, ptr(bytesOf(`${name}\0`)), AT_REMOVEDIR);
    if (fd >= 0) close(fd);
  }
}
