/** Looks through directories, up to a bound. */
import { readdirSync } from "node:fs";
import { fileName, nameOf } from "../kernel/names.ts";
import { statsOf } from "./stats.ts";

/** A tree of more entries is not looked through to its end. */
const entriesMax = 100_000;

/** A file in a directory. */
interface Entry {
  readonly path: string;
  readonly name: string;
  readonly type: "file" | "directory" | "other";
}

/** What is looked for. */
interface Search {
  /** What is found is not looked into. */
  isFound(entry: Entry): boolean;
  /** Whether a directory is left out. */
  isClosed(path: string): boolean;
  /** How many finds are enough. */
  readonly max: number;
  /** How many entries are looked at; default 100,000. */
  readonly limit?: number;
}

/** What was found in a tree. */
export interface Searched {
  readonly found: readonly string[];
  /** Whether enough was found, or all was looked at; if not, there may be more. */
  readonly complete: boolean;
}

/** Looks for files beneath a directory, following no symbolic link. */
export function search(
  directory: string,
  { isFound, isClosed, max, limit = entriesMax }: Search,
): Searched {
  const found: string[] = [];
  const waiting = [directory];
  let complete = true;
  let left = limit;
  // What is added meanwhile comes last, so that near files are found before far ones.
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

/** Undefined: they cannot be read; none: there is no such directory. */
function entriesOf(directory: string): Entry[] | undefined {
  const inside = directory === "/" ? "/" : `${directory}/`;
  try {
    const entries = readdirSync(fileName(directory) as string, { withFileTypes: true });
    // Names that are not UTF-8 have lost their bytes.
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
