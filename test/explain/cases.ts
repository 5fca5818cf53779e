/** Files, layers and short notations for the model's test tables. */
import { describe, expect, test } from "bun:test";
import { accessFs, type FsRight, type NetRight, type Rights } from "../../src/kernel/abi.ts";
import { layerOf, type KernelVersion, type Layer } from "../../src/model/layer.ts";
import { evaluate } from "../../src/model/model.ts";
import type { FileOperation, FileType, Operation } from "../../src/model/operation.ts";
import type { Files, Inode, Place } from "../../src/model/place.ts";

const files = filesOf({
  "/a/file": "regular",
  "/a/other": "regular",
  "/a/sub/deep": "regular",
  "/a/pipe": "fifo",
  "/a/hard": { same: "/b/file" },
  "/a/out": { link: "/b/file" },
  "/b/file": "regular",
  "/b/dir/x": "regular",
  "/b/in": { link: "/a" },
  "/b/white": "whiteout",
  "/b/dangling": { link: "/a/new" },
  "/dev/null": "char",
  "/m/mnt": "mount",
  "/m/mnt/file": "regular",
  "/m/mnt/one/file": "regular",
  "/m/mnt/two": "directory",
  "/run/socket": "socket",
});

type Grants = Readonly<Record<string, readonly FsRight[]>>;

/** A layer that handles all rights on files, or the given ones. */
export function fs(grants: Grants, handled: readonly FsRight[] = accessFs): Layer {
  const rules = Object.entries(grants).map(([path, access]) => ({ path, access, ...plain }));
  return layerOf({ handled: { fs: handled, net: [], scoped: [] }, rules }, files);
}
const plain = { onFile: "narrow", onMissing: "fail", quiet: false } as const;

export function net(grants: Readonly<Record<number, readonly NetRight[]>>): Layer {
  const rules = Object.entries(grants).map(([port, access]) => ({
    port: Number(port),
    access,
    quiet: false,
  }));
  const handled: Rights = {
    fs: [],
    net: ["bind_tcp", "connect_tcp", "bind_udp", "connect_send_udp"],
    scoped: [],
  };
  return layerOf({ handled, rules }, files);
}

export const scoped: Layer = layerOf(
  { handled: { fs: [], net: [], scoped: ["signal"] }, rules: [] },
  files,
);
export const every = (...but: FsRight[]) => accessFs.filter((right) => !but.includes(right));

/** `"allowed"`, or the errno and each denial as `layer right place`. */
export function say(
  operation: Operation,
  layers: readonly Layer[],
  kernel?: KernelVersion,
): string {
  const verdict = evaluate(operation, layers, files, kernel);
  if (verdict.allowed) return "allowed";
  const denials = verdict.denials.map(({ layer, right, path, port, gained }) =>
    [layer, right, path ?? port, ...(gained ? [`gains ${gained}`] : [])].join(" ").trim(),
  );
  return `${verdict.errno}: ${denials.join(", ")}`;
}

type Case = readonly [
  title: string,
  operation: Operation,
  layers: Layer | readonly Layer[],
  /** What is denied, by default with EACCES; if missing, the operation is allowed. */
  denied?: string,
];

export function cases(group: string, rows: readonly Case[]): void {
  describe(group, () => {
    for (const [title, operation, layers, denied = "allowed"] of rows) {
      const said = /^\d/.test(denied) ? `EACCES: ${denied}` : denied;
      test(title, () => expect(say(operation, [layers].flat())).toBe(said));
    }
  });
}

/** An open(2) given in words, such as `"read create"`. */
export const open = (path: string, how: string): Operation => ({
  ...{ kind: "open", path },
  ...Object.fromEntries(how.split(" ").map((word) => [word, true])),
});
export const read = (path: string) => open(path, "read");
export const write = (path: string) => open(path, "write");
export const port = (right: NetRight, number: number): Operation => ({
  ...{ kind: "port", access: [right], port: number },
});
export const move = (path: string, to: string): FileOperation => ({ kind: "rename", path, to });
export const swap = (path: string, to: string): FileOperation =>
  ({ ...move(path, to), exchange: true }) as FileOperation;
export const link = (path: string, to: string): FileOperation => ({ kind: "link", path, to });

/** Absolute paths and their type; implies the directories on the way. */
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

/** What is at a path: a type, a mount, a symbolic link's target, or a hard link to a file. */
export type Entry = FileType | "mount" | { readonly link: string } | { readonly same: string };

/** Files by absolute path. The directories above them need no entry. */
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
