/**
 * Recognizes files that decide what runs later by any of their names: through symbolic and hard
 * links, and where settings of git lead.
 */
import { readdirSync } from "node:fs";
import { fileName, inFolder, isWithin, lastName, nameOf, parentOf } from "../kernel/names.ts";
import { namedByGit, settingsOfGitFile } from "./git-settings.ts";
import {
  aboveHome,
  inHomes,
  isGoverning,
  isVersionControl,
  leadsToGoverning,
  mayHoldGoverning,
} from "./governing.ts";
import { search } from "./search.ts";
import { homes, linkedId, namesOf } from "./secrets.ts";
import { statsOf } from "./stats.ts";

/** The number of entries that are searched for links in the project, and in each other place. */
const projectMax = 50_000;
const placeMax = 5_000;

/** Directories that hold too many files to contain a person's links. */
const stores =
  /\/(node_modules|\.cache|_cacache|install\/cache|\.git\/objects|registry|toolchains|store)$/;

/** Recognizes files that decide what runs later on this machine. */
export class GoverningPlaces {
  readonly #home: string | undefined;
  readonly #project: string | undefined;
  /** Where links with such names lead. Everything beneath counts. */
  readonly #targets = new Set<string>();
  /** The names of directories that links above such places lead to. */
  readonly #aliases = new Map<string, string>();
  /** Such files with several names, by file system and inode. */
  readonly #linked = new Set<string>();
  readonly #searched = new Set<string>();

  /**
   * @param home The home directory, if known; those in `/home` and root's always count
   * @param project The project, if there is one
   */
  constructor(home: string | undefined, project: string | undefined) {
    this.#home = home;
    this.#project = project;
    this.look();
  }

  /** Finds the places through the current links and settings. It keeps earlier results. */
  look(): void {
    this.#searched.clear();
    for (const home of homes(this.#home)) {
      if (home !== this.#home && !/^(\/home\/[^/]+|\/root)$/.test(home)) continue;
      this.#note(home);
      for (const above of ["", ...aboveHome]) {
        const folder = above === "" ? home : `${home}/${above}`;
        for (const name of entriesOf(folder)) this.#note(inFolder(folder, name));
      }
      for (const name of [".gitconfig", ".config/git/config"]) this.#readGit(`${home}/${name}`);
    }
    this.#readGit("/etc/gitconfig");
    if (this.#project === undefined) return;
    this.#search(this.#project);
    // The project may be a part of a repository.
    for (let at = this.#project; at !== "/"; at = parentOf(at)) this.#note(`${at}/.git`);
  }

  /** Records a path if it is such a place, or a link above some. */
  #note(path: string): void {
    const isPlace = this.#isNamed(path);
    if (isPlace || isVersionControl(path) || leadsToGoverning(path, this.#home)) {
      this.#addNames(path, !isPlace);
    } else if (this.#isHome(path)) this.#addNames(path, true);
    if (isPlace || isVersionControl(path)) this.#search(path);
    if (isPlace) this.#noteLinked(path);
    if (isPlace) this.#readSettings(path);
  }

  /** Reads a place if it is settings of git, or names a repository that has some. */
  #readSettings(path: string): void {
    const name = lastName(path);
    if (/^config(\.worktree)?$/.test(name)) this.#readGit(path);
    if (name === ".git") for (const file of settingsOfGitFile(path)) this.#readGit(file);
  }

  #isHome(path: string): boolean {
    return inHomes(`${path}/x`, this.#home).includes("x");
  }

  /** Searches a directory for links with such names, and for such files with several names. */
  #search(directory: string): void {
    if (this.#searched.has(directory) || !statsOf(directory)?.isDirectory()) return;
    this.#searched.add(directory);
    search(directory, {
      isFound: ({ path, type }) => {
        if (type !== "directory") {
          const isPlace = this.#isNamed(path);
          if (type === "other" && (isPlace || isVersionControl(path))) {
            this.#addNames(path, !isPlace);
          }
          if (type === "file" && isPlace) this.#noteLinked(path);
          if (isPlace) this.#readSettings(path);
        }
        return false;
      },
      isClosed: (path) => stores.test(path),
      max: Infinity,
      limit: directory === this.#project ? projectMax : placeMax,
    });
  }

  #noteLinked(path: string): void {
    const id = linkedId(path);
    if (id !== undefined) this.#linked.add(id);
  }

  #readGit(path: string): void {
    const roots = this.#project === undefined ? [] : rootsFrom(this.#project);
    for (const named of namedByGit(path, this.#home, roots)) {
      this.#addTarget(parentNames(named).at(-1)!);
      this.#addNames(named, false);
    }
  }

  /** Records what a path leads to if one of its names is such a place. */
  follow(path: string): void {
    const names = namesOf(path);
    if (names.length > 1 && names.some((name) => this.#isNamed(name))) this.#addNames(path, false);
  }

  #addNames(path: string, isAbove: boolean): void {
    for (const name of namesOf(path).slice(1)) {
      const real = parentNames(name).at(-1)!;
      if (isAbove) this.#aliases.set(real, path);
      else this.#addTarget(real);
      if (isAbove) this.#searchAlias(real, path);
    }
  }

  #searchAlias(real: string, name: string): void {
    if (this.#isHome(name)) return;
    for (const entry of entriesOf(real)) {
      if (this.#isNamed(inFolder(name, entry))) this.#search(inFolder(real, entry));
    }
  }

  #addTarget(real: string): void {
    if (this.#targets.has(real)) return this.#search(real);
    const isAbove = [this.#home, this.#project].some(
      (root) => root !== undefined && root !== real && isWithin(root, real),
    );
    const stats = statsOf(real);
    // People link to /dev/null to turn settings off.
    if (isAbove || stats?.isCharacterDevice()) return;
    if (!isGoverning(real, this.#home)) this.#targets.add(real);
    this.#noteLinked(real);
    this.#search(real);
  }

  /** Whether a path without links is such a place by its names or by where links lead. */
  #isNamed(path: string): boolean {
    if (isGoverning(path, this.#home) || this.#isTarget(path)) return true;
    return this.#otherNames(path).some((name) => isGoverning(name, this.#home));
  }

  #isTarget(path: string): boolean {
    for (let next = path; ; next = parentOf(next)) {
      if (this.#targets.has(next)) return true;
      if (next === "/" || next === ".") return false;
    }
  }

  #otherNames(path: string): string[] {
    return [...this.#aliases].flatMap(([real, name]) =>
      isWithin(path, real) ? [name + path.slice(real.length)] : [],
    );
  }

  /** Whether a file is such a file by any of its names, or in such a directory. */
  has(path: string): boolean {
    const names = namesOf(path);
    return names.some((name) => this.#isNamed(name)) || this.#isLinked(names.at(-1)!);
  }

  #isLinked(path: string): boolean {
    const id = this.#linked.size === 0 ? undefined : linkedId(path);
    return id !== undefined && this.#linked.has(id);
  }

  /** Whether a directory entry is one. Links and other names of the file itself don't count. */
  hasEntry(path: string): boolean {
    return parentNames(path).some((name) => this.#isNamed(name));
  }

  /** The directory of such a file if it exists for such files, otherwise the file itself. */
  placeOf(path: string): string {
    const above = parentOf(path);
    return this.has(above) ? above : path;
  }

  /** Whether links or settings lead to something beneath a directory. */
  leadInto(directory: string): boolean {
    return [...this.#targets, ...this.#aliases.keys()].some(
      (real) => real !== directory && isWithin(real, directory),
    );
  }

  /** Whether programs expect such a file beneath a directory, even if it doesn't exist yet. */
  leadFrom(directory: string): boolean {
    return [directory, ...this.#otherNames(directory)].some((name) =>
      leadsToGoverning(name, this.#home),
    );
  }

  /**
   * Whether a directory is or contains such a file, as `mayHoldGoverning()`.
   *
   * @param within Whether only its content counts
   */
  mayHold(directory: string, within = false): boolean {
    if (this.leadFrom(directory) || this.leadInto(directory)) return true;
    if (!within && this.has(directory)) return true;
    return mayHoldGoverning(directory, this.#home, within, (path) => this.#isLinked(path));
  }
}

/** The names of a directory entry, as `namesOf()`, without following a link at its end. */
function parentNames(path: string): string[] {
  if (path === "/") return ["/"];
  return namesOf(parentOf(path)).map((folder) => inFolder(folder, lastName(path)));
}

/** A directory and those above it that are roots of repositories. */
function rootsFrom(project: string): string[] {
  const roots = [project];
  for (let at = project; at !== "/"; at = parentOf(at)) {
    if (at !== project && statsOf(`${at}/.git`)) roots.push(at);
  }
  return roots;
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(fileName(directory) as string, { encoding: "buffer" }).map(nameOf);
  } catch {
    return [];
  }
}
