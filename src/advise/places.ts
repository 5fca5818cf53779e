/** Finds out where the files of a finished run are, and which of them the run made. */
import type { BigIntStats } from "node:fs";
import { knownRealPath, normalPath, parentOf } from "../kernel/names.ts";
import { whereNamesChange } from "./changing.ts";
import { statsOf } from "./stats.ts";
import { isShared, temporaryFolders } from "./zones.ts";

/** A file that the next run will find, so that a rule can name it. */
interface Anchor {
  /** The path without symbolic links. */
  readonly path: string;
  readonly type: "file" | "directory" | "device" | "socket";
  /** Whether it stands for a file beneath it that the run made or removed. */
  readonly instead: boolean;
  /** Whether the run made this directory. The next run finds it only if a rule makes it. */
  readonly made?: true;
}

/** The longest tick of the coarse clock that file systems use: `CONFIG_HZ=100`. */
const tickMs = 10;

/**
 * Waits until existing files are older than anything that a run makes, and returns the run's start
 * time.
 */
export async function startOfRun(): Promise<bigint> {
  await Bun.sleep(2 * tickMs);
  return BigInt(Date.now() - tickMs) * 1_000_000n;
}

/** Looks up the files of one run. */
export class Places {
  readonly #start: bigint;
  /** Whether the run was denied what is looked up. */
  readonly isDenied: boolean;
  readonly #temporary: readonly string[];
  readonly #made = new Set<string>();
  /** Directories that were made under that name, and names that were removed again. */
  readonly #directories = new Set<string>();
  readonly #gone = new Set<string>();
  readonly #anchors = new Map<string, Anchor>();

  /**
   * @param start When the run started, in nanoseconds since 1970
   * @param tmp The folder for temporary files, without symbolic links
   * @param denied Whether the run could not make directories, so that they are missing
   */
  constructor(start: bigint, tmp = "/tmp", denied = false) {
    this.#start = start;
    this.isDenied = denied;
    this.#temporary = [tmp, ...temporaryFolders];
  }

  /** Records that the run made a file, for file systems without times of birth. */
  addMade(path: string, directory = false): void {
    this.#made.add(path);
    if (directory) this.#directories.add(entryPath(path));
  }

  /** Records that the run removed or renamed a file. */
  addGone(path: string): void {
    this.#gone.add(entryPath(path));
  }

  /**
   * The file itself, or the nearest directory above it that the next run finds. That directory
   * existed before, or the run made and left it, and a rule can make it again.
   */
  anchor(path: string): Anchor {
    const known = this.#anchors.get(path);
    if (known) return known;
    const found = this.#find(path);
    this.#anchors.set(path, found);
    return found;
  }

  /** Whether the run made or removed a file, so that the next run must make it. */
  isMade(path: string): boolean {
    return this.anchor(path).instead;
  }

  /** Whether the next run makes the same directory, so that a rule can make it in advance. */
  isRemade(path: string): boolean {
    const entry = entryPath(path);
    const parent = parentOf(entry);
    if (!this.#directories.has(entry) || this.#gone.has(entry)) return false;
    // Names in these folders differ in each run.
    if (this.#temporary.includes(parent)) return false;
    return !this.anchor(parent).instead || this.isRemade(parent);
  }

  #find(path: string): Anchor {
    const folder = whereNamesChange(path);
    if (folder !== undefined) return { ...this.anchor(folder), instead: true };
    const real = knownRealPath(path);
    const stats = real === undefined ? undefined : statsOf(real);
    if (real === undefined || !stats) {
      const entry = entryPath(path);
      if (this.isDenied && this.isRemade(entry) && !isShared(entry)) {
        return { path: entry, type: "directory", instead: false, made: true };
      }
      return { ...this.anchor(parentOf(normalPath(path))), instead: true };
    }
    const itself = { path: real, type: typeOf(stats), instead: false };
    // The kernel makes these files when somebody looks at them.
    if (/^\/(proc|sys)(\/|$)/.test(real)) return itself;
    const born = stats.birthtimeNs > 0n ? stats.birthtimeNs >= this.#start : this.#made.has(path);
    if (!born || real === "/") return itself;
    const above = this.anchor(parentOf(real));
    if (above.made) return { ...above, instead: true };
    if (stats.isDirectory() && this.isRemade(real) && !isShared(real)) {
      return { ...itself, made: true };
    }
    return { ...above, instead: true };
  }
}

/** The path of a directory entry. A link at its end isn't followed. */
function entryPath(path: string): string {
  const plain = normalPath(path);
  const parent = parentOf(plain);
  const name = plain.slice(plain.lastIndexOf("/") + 1);
  return `${(knownRealPath(parent) ?? parent).replace(/^\/$/, "")}/${name}`;
}

function typeOf(stats: BigIntStats): Anchor["type"] {
  if (stats.isDirectory()) return "directory";
  if (stats.isCharacterDevice() || stats.isBlockDevice()) return "device";
  return stats.isSocket() ? "socket" : "file";
}
