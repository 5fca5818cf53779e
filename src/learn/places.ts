/** Where the files of a run are once it is over, and which of them the run itself made. */
import { lstatSync, realpathSync, type BigIntStats } from "node:fs";
import { dirname, normalize } from "node:path";

/** A file that was there before the run and still is: a rule can be about it. */
export interface Anchor {
  /** Without symbolic links. */
  readonly path: string;
  readonly type: "file" | "directory" | "device" | "socket";
  /** Whether it stands for another file, made or removed by the run, that is beneath it. */
  readonly instead: boolean;
}

/** Where terminals are: each gets the next number that is free. */
export const terminals = "/dev/pts";

/** Looks up the files of one run. */
export class Places {
  readonly #start: bigint;
  readonly #made = new Set<string>();
  readonly #anchors = new Map<string, Anchor>();

  /** @param start When the run started, in nanoseconds since 1970 */
  constructor(start: bigint) {
    this.#start = start;
  }

  /** Remembers that the run made a file, for file systems that do not say when one was made. */
  addMade(path: string): void {
    this.#made.add(path);
  }

  /** The file itself, or the nearest directory above it that is no work of the run. */
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

  #find(path: string): Anchor {
    if (path.startsWith(`${terminals}/`)) return { ...this.anchor(terminals), instead: true };
    const real = realOf(path);
    const stats = real === undefined ? undefined : statOf(real);
    if (real === undefined || !stats) {
      return { ...this.anchor(dirname(normalize(path))), instead: true };
    }
    // Files of the kernel are made as they are looked at.
    if (/^\/(proc|sys)(\/|$)/.test(real)) {
      return { path: real, type: typeOf(stats), instead: false };
    }
    const born = stats.birthtimeNs > 0n ? stats.birthtimeNs >= this.#start : this.#made.has(path);
    if (born && real !== "/") return { ...this.anchor(dirname(real)), instead: true };
    return { path: real, type: typeOf(stats), instead: false };
  }
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

function statOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function typeOf(stats: BigIntStats): Anchor["type"] {
  if (stats.isDirectory()) return "directory";
  if (stats.isCharacterDevice() || stats.isBlockDevice()) return "device";
  return stats.isSocket() ? "socket" : "file";
}
