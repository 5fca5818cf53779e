/** Projects of files, for tests. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LandlockError, presets, type FsRule } from "../../src/index.ts";
import { tempDir } from "../harness.ts";

/** Maps a file's path to its text, or to a link's target. */
export type Files = Readonly<Record<string, string | { link: string }>>;

/** Writes files into a new folder; returns its path without links. */
export function project(files: Files): string {
  const folder = realpathSync(tempDir());
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === "string") writeFileSync(path, content);
    else symlinkSync(content.link, path);
  }
  return folder;
}

/** The files and listed folders that `modules()` grants below a folder, or its error. */
export function granted(folder: string, ...entries: string[]): string[] | string {
  try {
    const rules = presets.modules(...entries.map((entry) => join(folder, entry))).rules as FsRule[];
    const paths = rules.flatMap((rule) => rule.paths);
    return paths.map((path) => (path === folder ? "." : path.replace(`${folder}/`, "")));
  } catch (error) {
    if (error instanceof LandlockError && error.code === "ERR_LANDLOCK_PATH") return error.message;
    throw error;
  }
}
