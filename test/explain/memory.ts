/** Files that exist in a test's memory only. */
import type { FileType } from "../../src/model/operation.ts";
import type { Files, Inode, Place } from "../../src/model/place.ts";

/** What is at a path: a type, a mount, a symbolic link's target, or another name of a file. */
export type Entry = FileType | "mount" | { readonly link: string } | { readonly same: string };

/** Files by absolute path. Directories above them need no entry. */
export function filesOf(entries: Readonly<Record<string, Entry>>): Files {
  const all = new Map<string, Entry>([["/", "mount"]]);
  for (const [path, entry] of Object.entries(entries)) {
    for (let end = path.indexOf("/", 1); end > 0; end = path.indexOf("/", end + 1)) {
      const above = path.slice(0, end);
      all.set(above, entries[above] ?? "directory");
    }
    all.set(path, entry);
  }
  const inodeOf = (path: string): Inode | undefined => {
    const entry = all.get(path);
    if (entry === undefined) return undefined;
    if (typeof entry === "object" && "same" in entry) return { ...inodeOf(entry.same)!, path };
    const type = typeof entry === "object" ? "symlink" : entry === "mount" ? "directory" : entry;
    return { id: path, type, path, mounted: entry === "mount" };
  };
  const find = (path: string, follow: boolean): Place => {
    const parents: Inode[] = [inodeOf("/")!];
    const names = path.split("/").filter((name) => name !== "");
    for (const [i, name] of names.entries()) {
      const last = i === names.length - 1;
      const next = `${parents[0]!.path}/${name}`.replace("//", "/");
      const entry = all.get(next);
      if (typeof entry === "object" && "link" in entry && (follow || !last)) {
        return find([entry.link, ...names.slice(i + 1)].join("/"), follow);
      }
      const file = inodeOf(next);
      if (last) return { path: next, file, parents };
      if (file?.type !== "directory") return { path, file: undefined, parents: [] };
      parents.unshift(file);
    }
    const [file, ...above] = parents;
    return { path: "/", file, parents: above };
  };
  return { find };
}
