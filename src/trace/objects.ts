/**
 * What a path means to the process that uses it: the links of `/proc` lead to open files and not to
 * names, and a process may have a root directory of its own.
 */
import { lstatSync } from "node:fs";
import { fileName, inFolder, linkTarget, parentOf } from "../kernel/names.ts";
import { linksMax } from "../kernel/walk.ts";
import type { Target } from "./value.ts";

/** A process of the run, as far as its paths depend on it. */
export interface Viewer {
  readonly process: number;
  /** The thread. */
  readonly pid: number;
  /** The current directory. */
  readonly cwd: string;
  /** The root directory; undefined: it cannot be told. */
  readonly root: string | undefined;
  /** The file that it executes. */
  readonly program: string | undefined;
  /** What its descriptors were last seen open on. */
  readonly files: ReadonlyMap<number, Target>;
}

/** Finds a process of the run by its number. */
export type FindViewer = (process: number) => Viewer | undefined;

/** Where a path leads. */
export type Location =
  /**
   * A file, or a place for one; `deleted`: an open file that was there, and has lost its name;
   * `via`: symbolic links that led there, but for those of `/proc`.
   */
  | {
      readonly kind: "path";
      readonly path: string;
      readonly deleted?: true;
      readonly via?: readonly string[];
    }
  /** A pipe, a socket, a memfd: what no rule is about, and no layer denies. */
  | { readonly kind: "nameless" }
  /** It cannot be told; `link`: what a link of `/proc` leads to. */
  | { readonly kind: "unknown"; readonly link?: string };

const nameless: Location = { kind: "nameless" };
const unknown: Location = { kind: "unknown" };

/** What paths of open files begin with, and the names in `/dev` that lead there. */
const maybeLinked = /^\/+(proc|dev)\/+(self|thread-self|\d+|fd|stdin|stdout|stderr)(\/|$)/;

/**
 * Tells where a path leads. A path that meets none of the links stays as it is: its names matter to
 * people.
 *
 * @param path As the process gave it
 * @param base The directory that it starts from; undefined: that cannot be told
 * @param follow Whether a symbolic link at its end is followed
 * @param thorough Whether to look for links of `/proc` behind other links too, which takes longer
 */
export function locate(
  path: string,
  base: string | undefined,
  follow: boolean,
  thorough: boolean,
  viewer: Viewer,
  find: FindViewer,
): Location {
  const { root } = viewer;
  const start = path.startsWith("/") ? root : base;
  if (root === undefined || start === undefined) return unknown;
  const whole = join(start, path.startsWith("/") && root !== "/" ? `.${path}` : path);
  if (root === "/" && !thorough && !maybeLinked.test(whole)) return { kind: "path", path: whole };
  const walk = new Walk(viewer, root, find);
  const found = walk.go(path.startsWith("/") ? root : start, path, follow);
  if (found.kind !== "path") return found;
  if (!walk.isLinked && root === "/") return { kind: "path", path: whole };
  return walk.via.length === 0 ? found : { ...found, via: walk.via };
}

/** A path as seen from a directory. `..` stays: after a symbolic link it means another folder. */
export function join(base: string, path: string): string {
  if (path.startsWith("/")) return path;
  return inFolder(base, path.replace(/^(\.\/+)+(?=.)/s, "")).replace(/\/\.$/, "");
}

/** One way through directories and links. */
class Walk {
  readonly #viewer: Viewer;
  readonly #root: string;
  readonly #find: FindViewer;
  /** Whether a link of `/proc` was met. */
  isLinked = false;
  /** Other symbolic links that were met. */
  readonly via: string[] = [];

  constructor(viewer: Viewer, root: string, find: FindViewer) {
    this.#viewer = viewer;
    this.#root = root;
    this.#find = find;
  }

  go(start: string, path: string, follow: boolean): Location {
    let at = start;
    const names = path.split("/");
    for (let links = 0; names.length > 0;) {
      const name = names.shift()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (at !== this.#root) at = parentOf(at);
        continue;
      }
      at = this.#ownDirectory(inFolder(at, name));
      const isLast = names.every((rest) => rest === "" || rest === ".");
      if (isLast && names.length === 0 && !follow) continue;
      const open = this.#openFile(at);
      if (open === undefined) {
        const target = targetOf(at);
        if (target === undefined) continue;
        if (++links > linksMax) return unknown;
        this.via.push(at);
        names.unshift(...target.split("/"));
        at = target.startsWith("/") ? this.#root : parentOf(at);
      } else {
        this.isLinked = true;
        const { kind } = open;
        if (kind === "unknown") return isLast ? { kind, link: at } : unknown;
        if (kind === "nameless") return isLast ? nameless : unknown;
        if (open.deleted && isLast) return open;
        at = open.path;
      }
    }
    return { kind: "path", path: at };
  }

  /** `/proc/self` is another directory for each process. */
  #ownDirectory(path: string): string {
    const { process, pid } = this.#viewer;
    const own =
      path === "/proc/self"
        ? `/proc/${process}`
        : path === "/proc/thread-self"
          ? `/proc/${process}/task/${pid}`
          : undefined;
    if (own !== undefined) this.isLinked = true;
    return own ?? path;
  }

  /** The open file that a link of `/proc` leads to; undefined: it is no such link. */
  #openFile(path: string): Location | undefined {
    const [, pid, what, fd] =
      /^\/proc\/(\d+)(?:\/task\/\d+)?\/(cwd|root|exe|fd\/(\d+))$/.exec(path) ?? [];
    if (pid === undefined) return undefined;
    const owner = this.#find(Number(pid));
    const now = targetOf(path);
    const target = now === undefined ? undefined : targetFrom(now);
    if (fd !== undefined) return openLocation(target ?? owner?.files.get(Number(fd)));
    // What the trace told of directories is what held when the call was made.
    const known = what === "exe" ? owner?.program : owner?.[what as "cwd" | "root"];
    const told: Target | undefined = known === undefined ? undefined : { name: known };
    return openLocation(what === "exe" ? (target ?? told) : (told ?? target));
  }
}

function targetOf(path: string): string | undefined {
  try {
    return linkTarget(path);
  } catch {
    return undefined;
  }
}

const deletedEnd = " (deleted)";

/** What the kernel calls an open file, as a target. */
export function targetFrom(name: string): Target {
  const path = withoutDeleted(name);
  return path === name ? { name } : { name: path, deleted: true };
}

/** Where a descriptor is. */
export function openLocation(target: Target | undefined): Location {
  if (target === undefined) return unknown;
  const { name, deleted } = target;
  // A memfd has a name in no directory.
  const isNameless = !name.startsWith("/") || (deleted && name.startsWith("/memfd:"));
  if (isNameless) return nameless;
  return { kind: "path", path: name, ...(deleted ? { deleted } : {}) };
}

/** The kernel marks the names of files that have lost theirs; a file may also be called that. */
function withoutDeleted(path: string): string {
  if (!path.endsWith(deletedEnd)) return path;
  try {
    if (lstatSync(fileName(path), { throwIfNoEntry: false })) return path;
  } catch {
    // Then it is not there.
  }
  return path.slice(0, -deletedEnd.length);
}
