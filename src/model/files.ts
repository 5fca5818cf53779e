/**
 * Looks up this machine's files for the model. Landlock restricts neither stat(2) nor readlink(2),
 * so a sandboxed process can look up files that it can't open.
 */
import { lstatSync, type BigIntStats } from "node:fs";
import { currentDirectory, fileName, inFolder, knownLinkTarget } from "../kernel/names.ts";
import { isMountRoot } from "../kernel/syscalls.ts";
import { linksMax } from "../kernel/walk.ts";
import type { FileType } from "./operation.ts";
import type { Files, Inode, Place } from "./place.ts";

/** Looks up this machine's files in their current state. */
export const machineFiles: Files = {
  find: (path, follow) =>
    find(path.startsWith("/") ? path : `${currentDirectory()}/${path}`, follow, 0),
};

/**
 * Resolves name by name as the kernel does: `..` after a symbolic link is the parent of its target.
 */
function find(path: string, follow: boolean, links: number): Place {
  const chain: Inode[] = [inodeOf("/", undefined)!];
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  for (const [i, name] of names.entries()) {
    const [directory] = chain as [Inode];
    if (directory.type !== "directory") return nowhere(path);
    if (name === "..") {
      if (chain.length > 1) chain.shift();
      continue;
    }
    const last = i === names.length - 1;
    const next = inFolder(directory.path, name);
    const found = inodeOf(next, directory);
    if (found?.type === "symlink" && (follow || !last)) {
      const target = knownLinkTarget(next) ?? "";
      // Circular links lead nowhere, and so do links of /proc to files without a path.
      if (target === "" || links === linksMax) return nowhere(path);
      const start = target.startsWith("/") ? target : `${directory.path}/${target}`;
      return find([start, ...names.slice(i + 1)].join("/"), follow, links + 1);
    }
    if (found === undefined) {
      return last ? { path: next, file: undefined, parents: chain } : nowhere(path);
    }
    chain.unshift(found);
  }
  const [file, ...parents] = chain as [Inode, ...Inode[]];
  return { path: file.path, file, parents };
}

function nowhere(path: string): Place {
  return { path, file: undefined, parents: [] };
}

function inodeOf(path: string, parent: Inode | undefined): Inode | undefined {
  let stats: BigIntStats | undefined;
  try {
    stats = lstatSync(fileName(path), { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
  if (stats === undefined) return undefined;
  const id = `${stats.dev}:${stats.ino}`;
  const type = typeOf(stats);
  const mounted =
    parent === undefined ||
    !parent.id.startsWith(`${stats.dev}:`) ||
    // Detects a bind mount within one file system.
    (type === "directory" && isMountRoot(path));
  return { id, type, path, mounted };
}

function typeOf(stats: BigIntStats): FileType {
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  if (stats.isSocket()) return "socket";
  if (stats.isCharacterDevice()) return stats.rdev === 0n ? "whiteout" : "char";
  return stats.isBlockDevice() ? "block" : "regular";
}
