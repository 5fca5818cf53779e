/** Recognizes secrets by any of their names and, if a name doesn't tell, by their content. */
import { readdirSync, readFileSync } from "node:fs";
import {
  isWithin,
  knownLinkTarget,
  lastName,
  nameOf,
  parentOf,
  realPath,
} from "../kernel/names.ts";
import { holdsKey, holdsPassword, startsWithKey } from "./secret-content.ts";
import { knownPlaces, namedSockets, toldBy } from "./secret-names.ts";
import { search, type Searched } from "./search.ts";
import { statsOf } from "./stats.ts";

/** Where distributions install files that everyone may read and only they change. */
const distribution =
  /^\/(usr\/(?!local\/|src\/)|lib\w*\/|bin\/|sbin\/|nix\/store\/|gnu\/store\/|etc\/pam\.d\/)/;

/** Files of packages came from a public registry. */
const ofPackages = /\/node_modules(\/|$)/;

/** The number of entries in the home and the project that are searched for links. */
const linksLimit = 50_000;
/** The kernel's limit on symbolic links (path_resolution(7)). */
const linksMax = 40;

/** How to search a directory. */
interface Within {
  /** The number of secrets to find; default 5. */
  readonly max?: number;
  /** The number of entries to check; default 100,000. */
  readonly limit?: number;
  /** Whether to skip node_modules. */
  readonly withoutPackages?: boolean;
}

/** Recognizes secrets on this machine. */
export class Secrets {
  readonly #homes: ReadonlySet<string>;
  readonly #roots: readonly string[];
  /** The targets of links with secret names. */
  readonly #targets = new Set<string>();
  /** Secrets with several names, by file system and inode. */
  #linked: ReadonlyMap<string, string> | undefined;

  /**
   * @param home The home directory, if known; the homes of all users always count
   * @param project The project, if there is one
   */
  constructor(home: string | undefined, project?: string) {
    this.#homes = homes(home);
    this.#roots = [home, project].filter((one) => one !== undefined);
    this.look();
  }

  /** Finds the known secrets through the current links. It keeps earlier results. */
  look(): void {
    this.#linked = undefined;
    for (const place of knownPlaces(this.#homes)) {
      this.add(place);
      // Many people keep their settings elsewhere and link to them, file by file.
      const stats = statsOf(place);
      if (stats?.isDirectory()) this.#addLinks(place, () => true);
    }
    for (const socket of namedSockets(process.env)) this.add(socket);
    for (const root of this.#roots) this.#addLinks(root, (path) => isSecretFile(path, path));
  }

  #addLinks(directory: string, counts: (path: string) => boolean): void {
    const { found } = search(directory, {
      isFound: ({ path, type }) => type === "other" && counts(path),
      isClosed: isStore,
      max: Infinity,
      limit: linksLimit,
    });
    for (const path of found) this.add(path);
  }

  /** Records that the target of a path is secret, whatever its name. */
  add(path: string): void {
    const real = namesOf(path).at(-1)!;
    const isAbove = [...this.#homes, ...this.#roots].some((root) => isWithin(root, real));
    if (!isAbove && !isDistributed(real)) this.#targets.add(real);
  }

  /**
   * Whether a file, or a directory as a whole, is secret.
   *
   * @param path An absolute path without symbolic links
   * @param now The file's current path, if it was moved
   */
  has(path: string, now = path): boolean {
    return this.#isTarget(path) || isSecretFile(path, now) || this.sameAs(path, now) !== undefined;
  }

  /**
   * The name of the secret to which a file is a hard link. Undefined if its own name tells, or if
   * there is none.
   */
  sameAs(path: string, now = path): string | undefined {
    const name = isSecretFile(path, now) ? undefined : this.#linkedTo(now);
    return name === path ? undefined : name;
  }

  #linkedTo(path: string): string | undefined {
    if (this.#linked?.size === 0) return undefined;
    const id = linkedId(path);
    if (id === undefined) return undefined;
    this.#linked ??= this.#findLinked();
    return this.#linked.get(id);
  }

  #findLinked(): Map<string, string> {
    const found = new Map<string, string>();
    const note = (path: string) => {
      const id = linkedId(path);
      if (id !== undefined && !found.has(id)) found.set(id, path);
    };
    const noteIn = (directory: string, counts: (path: string) => boolean) =>
      search(directory, {
        isFound({ path, type }) {
          if (type !== "directory" && counts(path)) note(path);
          return false;
        },
        isClosed: isStore,
        max: Infinity,
        limit: linksLimit,
      });
    for (const place of knownPlaces(this.#homes)) {
      note(place);
      noteIn(place, () => true);
    }
    for (const root of this.#roots) noteIn(root, (path) => isSecretFile(path, path));
    for (const place of this.#targets) {
      note(place);
      noteIn(place, () => true);
    }
    return found;
  }

  /**
   * The name by which a path leads to a secret, which may be a link on the way. Undefined if it
   * leads to none.
   *
   * @param now The file's current path, if it was moved
   */
  nameFor(path: string, now?: string): string | undefined {
    const names = namesOf(path);
    return (
      names.findLast((name) => isSecretFile(name, now ?? name)) ??
      names.findLast((name) => this.#isTarget(name)) ??
      (this.sameAs(names.at(-1)!, now) === undefined ? undefined : names.at(-1))
    );
  }

  #isTarget(path: string): boolean {
    for (let next = path; ; next = parentOf(next)) {
      if (this.#targets.has(next)) return true;
      if (next === "/" || next === ".") return false;
    }
  }

  /** The nearest secrets beneath a directory. */
  within(directory: string, { max = 5, limit, withoutPackages = false }: Within = {}): Searched {
    return search(directory, {
      isFound: ({ path, type }) => type !== "other" && this.has(path),
      isClosed: (path) => withoutPackages && ofPackages.test(path),
      max,
      ...(limit === undefined ? {} : { limit }),
    });
  }

  /** Whether a directory contains a secret, or is too large to search. */
  mayBeWithin(directory: string): boolean {
    const { found, complete } = this.within(directory, { max: 1, withoutPackages: true });
    return found.length > 0 || !complete;
  }
}

/** Whether a directory has too many files to contain a person's links. */
function isStore(path: string): boolean {
  return /\/(node_modules|\.cache|\.git)$/.test(path);
}

/**
 * The identity that all names of a file share. Undefined for directories and files with only one
 * name.
 */
export function linkedId(path: string): string | undefined {
  const stats = statsOf(path);
  if (stats === undefined || stats.isDirectory() || stats.nlink < 2n) return undefined;
  return `${stats.dev}:${stats.ino}`;
}

function isSecretFile(path: string, now: string): boolean {
  const told = toldBy(path);
  if (told.length === 0 || told.includes("secret")) return told.length > 0;
  if (ofPackages.test(path)) return false;
  const isFree = isDistributed(path);
  if (!isFree && told.includes("likely")) return true;
  if (told.includes("start")) return !isFree && startsWithKey(now);
  if (told.includes("key") && holdsKey(now, !isFree && /\.key$/i.test(lastName(path)))) return true;
  return !isFree && told.includes("password") && holdsPassword(now);
}

/** Whether a file came with the system: it belongs to root and everyone may read it. */
function isDistributed(path: string): boolean {
  if (!distribution.test(path)) return false;
  const stats = statsOf(path) ?? statsOf(parentOf(path));
  return stats !== undefined && stats.uid === 0n && (stats.mode & 0o004n) !== 0n;
}

/** The home directories of all users. */
export function homes(home: string | undefined): Set<string> {
  const found = new Set(["/root"]);
  if (home !== undefined) found.add(home);
  try {
    for (const line of nameOf(readFileSync("/etc/passwd")).split("\n")) {
      const folder = line.split(":")[5] ?? "";
      if (folder.startsWith("/")) found.add(folder.replace(/(?<=.)\/+$/, ""));
    }
  } catch {}
  try {
    for (const name of readdirSync("/home")) found.add(`/home/${name}`);
  } catch {}
  for (const folder of [...found]) {
    try {
      found.add(realPath(folder));
    } catch {
      if (folder !== home) found.delete(folder);
    }
  }
  return found;
}

/**
 * The names that lead to a file: one for each link on the way, and finally the one without links.
 */
export function namesOf(path: string): string[] {
  const names: string[] = [];
  const rest = path.split("/");
  let at = "";
  while (rest.length > 0) {
    const name = rest.shift()!;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
      continue;
    }
    const here = `${at}/${name}`;
    // Links of /proc lead each process to a different file.
    const isFixed = !here.startsWith("/proc/") && names.length < linksMax;
    const target = isFixed ? targetOf(here) : undefined;
    if (target === undefined) at = here;
    else {
      names.push([here, ...rest].join("/"));
      rest.unshift(...target.split("/"));
      if (target.startsWith("/")) at = "";
    }
  }
  return [...names, at || "/"];
}

function targetOf(path: string): string | undefined {
  return statsOf(path)?.isSymbolicLink() ? knownLinkTarget(path) : undefined;
}
