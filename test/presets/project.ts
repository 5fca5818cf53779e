/** Projects of files for tests. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tempDir } from "../harness.ts";

/** From the path of a file to its text, or what it links to. */
export type Files = Readonly<Record<string, string | { link: string }>>;

/** Writes files into a new folder; returns its path, without links. */
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
