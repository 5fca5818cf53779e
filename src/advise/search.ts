/** Searches directories, up to a limit. */
import { readdirSync } from "node:fs";
import { fileName, nameOf } from "../kernel/names.ts";
import { statsOf } from "./stats.ts";

/** Larger trees aren't searched completely. */
const entriesMax = 100_000;

/** A file in a directory. */
interface Entry {
  readonly path: string;
  readonly name: string;
  readonly type: "file" | "directory" | "other";
}

/** What to search for. */
interface Search {
  /** Whether an entry matches. The search doesn't descend into matches. */
  isFound(entry: Entry): boolean;
  /** Whether to skip a directory. */
  isClosed(path: string): boolean;
  /** The number of matches after which to stop. */
  readonly max: number;
  /** The number of entries to check; default 100,000. */
  readonly limit?: number;
}

/** The matches in a tree. */
export interface Searched {
  readonly found: readonly string[];
  /** Whether enough was found or everything was searched. Otherwise there may be more matches. */
  readonly complete: boolean;
}

/** Searches for files beneath a directory without following symbolic links. */
export function search(
  directory: string,
  { isFound, isClosed, max, limit = entriesMax }: Search,
): Searched {
  const found: string[] = [];
  const waiting = [directory];
  let complete = true;
  let left = limit;
  // The loop also visits directories that it appends, so near files come before far ones.
  for (const next of waiting) {
    if (isClosed(next)) continue;
    const entries = entriesOf(next);
    if (entries === undefined) complete = false;
    for (const entry of entries ?? []) {
      if (found.length === max) return { found, complete: true };
      if (--left < 0) return { found, complete: false };
      if (isFound(entry)) found.push(entry.path);
      else if (entry.type === "directory") waiting.push(entry.path);
    }
  }
  return { found, complete };
}

/** Undefined if the directory can't be read; empty if it doesn't exist. */
function entriesOf(directory: string): Entry[] | undefined {
  const inside = directory === "/" ? "/" : `${directory}/`;
  try {
    const entries = readdirSync(fileName(directory) as string, { withFileTypes: true });
    // Bun has replaced bytes of names that aren't UTF-8.
    if (entries.some(({ name }) => name.includes("\ufffd"))) return entriesByBytes(inside);
    return entries.map((entry) => ({
      path: inside + entry.name,
      name: entry.name,
      type: typeOf(entry),
    }));
  } catch (error) {
    const { code } = error as { code?: string };
    return code === "ENOENT" || code === "ENOTDIR" ? [] : undefined;
  }
}

function entriesByBytes(inside: string): Entry[] {
  const names = readdirSync(fileName(inside) as string, { encoding: "buffer" });
  return names.map((bytes) => {
    const name = nameOf(bytes);
    const path = inside + name;
    const stats = statsOf(path);
    return { path, name, type: stats ? typeOf(stats) : "other" };
  });
}

function typeOf(entry: { isFile(): boolean; isDirectory(): boolean }): Entry["type"] {
  if (entry.isDirectory()) return "directory";
  return entry.isFile() ? "file" : "other";
}
