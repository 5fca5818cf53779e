/** Where the files of a run are once it is over, and which of them the run itself made. */
import type { BigIntStats } from "node:fs";
import { knownRealPath, normalPath, parentOf } from "../kernel/names.ts";
import { whereNamesChange } from "./changing.ts";
import { statsOf } from "./stats.ts";
import { isShared, temporaryFolders } from "./zones.ts";

/** A file that the next run finds: a rule can be about it. */
interface Anchor {
  /** Without symbolic links. */
  readonly path: string;
  readonly type: "file" | "directory" | "device" | "socket";
  /** Whether it stands for another file, made or removed by the run, that is beneath it. */
  readonly instead: boolean;
  /** Whether the run made this directory: the next one finds it only if a rule makes it. */
  readonly made?: true;
}

/** The coarse clock that file systems use ticks at least this often: `CONFIG_HZ=100`. */
const tickMs = 10;

/** Lets whatever was made before have an earlier time than what a run makes, and tells that time. */
export async function startOfRun(): Promise<bigint> {
  await Bun.sleep(2 * tickMs);
  return BigInt(Date.now() - tickMs) * 1_000_000n;
}

/** Looks up the files of one run. */
export class Places {
  readonly #start: bigint;
  readonly #isDenied: boolean;
  readonly #temporary: readonly string[];
  readonly #made = new Set<string>();
  /** Directories that were made by that name, and names that were taken away again. */
  readonly #directories = new Set<string>();
  readonly #gone = new Set<string>();
  readonly #anchors = new Map<string, Anchor>();

  /**
   * @param start When the run started, in nanoseconds since 1970
   * @param tmp The folder for temporary files, without symbolic links
   * @param denied Whether the run was denied to make directories, so that those are missing
   */
  constructor(start: bigint, tmp = "/tmp", denied = false) {
    this.#start = start;
    this.#isDenied = denied;
    this.#temporary = [tmp, ...temporaryFolders];
  }

  /** Remembers that the run made a file, for file systems that do not say when one was made. */
  addMade(path: string, directory = false): void {
    this.#made.add(path);
    if (directory) this.#directories.add(entryPath(path));
  }

  /** Remembers that the run removed a file or renamed it. */
  addGone(path: string): void {
    this.#gone.add(entryPath(path));
  }

  /**
   * The file itself, or the nearest directory above it that the next run finds: one that was there
   * before, or one that the run made and left, which a rule can make again.
   */
  anchor(path: string): Anchor {
    const known = this.#anchors.get(path);
    if (known) return known;
    const found = this.#find(path);
    this.#anchors.set(path, found);
    return found;
  }

  /** Whether a file was made by the run, or is gone, so that the next run has to make it. */
  isMade(path: string): boolean {
    return this.anchor(path).instead;
  }

  /** Whether the next run makes the same directory, so that a rule can make it before. */
  isRemade(path: string): boolean {
    const entry = entryPath(path);
    const parent = parentOf(entry);
    if (!this.#directories.has(entry) || this.#gone.has(entry)) return false;
    // Names there are other ones each time.
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
      if (this.#isDenied && this.isRemade(entry) && !isShared(entry)) {
        return { path: entry, type: "directory", instead: false, made: true };
      }
      return { ...this.anchor(parentOf(normalPath(path))), instead: true };
    }
    const itself = { path: real, type: typeOf(stats), instead: false };
    // Files of the kernel are made as they are looked at.
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

/** The path of a directory's entry, itself not followed. */
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
