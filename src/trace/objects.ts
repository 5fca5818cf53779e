/**
 * Resolves a path as the process that uses it does. Links of `/proc` lead to open files instead of
 * names, and a process may have its own root directory.
 */
import { lstatSync } from "node:fs";
import { fileName, inFolder, knownLinkTarget, parentOf } from "../kernel/names.ts";
import { linksMax } from "../kernel/walk.ts";
import type { Target } from "./value.ts";

/** The state of a process that its paths depend on. */
export interface Viewer {
  readonly process: number;
  /** The thread. */
  readonly pid: number;
  /** The current directory. */
  readonly cwd: string;
  /** The root directory; undefined if unknown. */
  readonly root: string | undefined;
  /** The program file that it executes. */
  readonly program: string | undefined;
  /** The files that its descriptors were last seen open on. */
  readonly files: ReadonlyMap<number, Target>;
}

/** Finds a process of the run by its id. */
export type FindViewer = (process: number) => Viewer | undefined;

/** Where a path leads. */
export type Location =
  /**
   * A file that may not exist yet. `deleted` marks an open file that lost its name. `via` lists the
   * symbolic links on the way, except those of `/proc`.
   */
  | {
      readonly kind: "path";
      readonly path: string;
      readonly deleted?: true;
      readonly via?: readonly string[];
    }
  /** A pipe, socket or memfd, which Landlock neither restricts nor has rules for. */
  | { readonly kind: "nameless" }
  /** The path is unknown. `link` is the link of `/proc` that leads there. */
  | { readonly kind: "unknown"; readonly link?: string };

const nameless: Location = { kind: "nameless" };
const unknown: Location = { kind: "unknown" };

/** Path prefixes of open files, and the names in `/dev` that lead to them. */
const maybeLinked = /^\/+(proc|dev)\/+(self|thread-self|\d+|fd|stdin|stdout|stderr)(\/|$)/;

/**
 * Finds the file that a path leads to. A path without links of `/proc` stays unchanged, so that
 * people recognize it.
 *
 * @param path The path as the process gave it
 * @param base The directory that it starts from; undefined if unknown
 * @param follow Whether a symbolic link at its end is followed
 * @param thorough Whether to follow other links too in search of links of `/proc`, which is slower
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

/** Joins a path to a directory. It keeps `..`, which means another folder after a symbolic link. */
export function join(base: string, path: string): string {
  if (path.startsWith("/")) return path;
  return inFolder(base, path.replace(/^(\.\/+)+(?=.)/s, "")).replace(/\/\.$/, "");
}

/** Follows one path through directories and links. */
class Walk {
  readonly #viewer: Viewer;
  readonly #root: string;
  readonly #find: FindViewer;
  /** Whether the path went through a link of `/proc`. */
  isLinked = false;
  /** The symbolic links on the way outside of `/proc`. */
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
        const target = knownLinkTarget(at);
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

  /** Replaces `/proc/self` by the directory of the process that uses it. */
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

  /** The open file that a link of `/proc` leads to; undefined if it isn't such a link. */
  #openFile(path: string): Location | undefined {
    const [, pid, what, fd] =
      /^\/proc\/(\d+)(?:\/task\/\d+)?\/(cwd|root|exe|fd\/(\d+))$/.exec(path) ?? [];
    if (pid === undefined) return undefined;
    const owner = this.#find(Number(pid));
    const now = knownLinkTarget(path);
    const target = now === undefined ? undefined : targetFrom(now);
    if (fd !== undefined) return openLocation(target ?? owner?.files.get(Number(fd)));
    // Prefer the traced directories, because the link may have changed since the call.
    const known = what === "exe" ? owner?.program : owner?.[what as "cwd" | "root"];
    const told: Target | undefined = known === undefined ? undefined : { name: known };
    return openLocation(what === "exe" ? (target ?? told) : (told ?? target));
  }
}

const deletedEnd = " (deleted)";

/** Parses the kernel's name of an open file. */
export function targetFrom(name: string): Target {
  const path = withoutDeleted(name);
  return path === name ? { name } : { name: path, deleted: true };
}

/** The location of an open file. */
export function openLocation(target: Target | undefined): Location {
  if (target === undefined) return unknown;
  const { name, deleted } = target;
  // A memfd isn't in any directory.
  const isNameless = !name.startsWith("/") || (deleted && name.startsWith("/memfd:"));
  if (isNameless) return nameless;
  return { kind: "path", path: name, ...(deleted ? { deleted } : {}) };
}

/**
 * Removes the kernel's mark from the name of a deleted file. An existing file may really end in it.
 */
function withoutDeleted(path: string): string {
  if (!path.endsWith(deletedEnd)) return path;
  try {
    if (lstatSync(fileName(path), { throwIfNoEntry: false })) return path;
  } catch {
    // The file doesn't exist.
  }
  return path.slice(0, -deletedEnd.length);
}
