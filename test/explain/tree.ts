/** Files for pure tests: a tree of names, nothing on any disk. */
import type { Files, Inode } from "../../src/model/place.ts";
import type { FileType } from "../../src/model/operation.ts";

/** Absolute paths and what they are; the directories on the way are there too. */
export function treeOf(entries: Readonly<Record<string, FileType>>): Files {
  const types = new Map<string, FileType>([["/", "directory"]]);
  for (const [path, type] of Object.entries(entries)) {
    const names = path.split("/").slice(1);
    for (let i = 1; i < names.length; i++) {
      types.set(`/${names.slice(0, i).join("/")}`, "directory");
    }
    types.set(path, type);
  }
  const inode = (path: string): Inode => ({
    id: `1:${path}`,
    type: types.get(path)!,
    path,
    mounted: path === "/",
  });
  const above = (path: string): string[] =>
    path === "/" ? [] : [dirname(path), ...above(dirname(path))];
  return {
    find(path) {
      const parents = above(path);
      if (!parents.every((parent) => types.get(parent) === "directory")) {
        return { path, file: undefined, parents: [] };
      }
      return { path, file: types.has(path) ? inode(path) : undefined, parents: parents.map(inode) };
    },
  };
}

function dirname(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
