/** Folders with files that Bun, sh or the loader could obey. */
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { tempDir } from "../harness.ts";

/**
 * Places for untrusted files: the current directory, its parent, a world-writable ancestor, HOME,
 * XDG_CONFIG_HOME, a folder of links to programs, and a parent of the package.
 */
export const places = ["cwd", "parent", "world", "home", "xdg", "links", "above"] as const;
export type Place = (typeof places)[number];

/** The folders of one case, and the environment of a program in them. */
export interface Scene {
  readonly folders: Readonly<Record<Place, string>>;
  /** The parent of all of them. */
  readonly root: string;
  /** Each obeyed trap leaves a file here, named after it. */
  readonly marks: string;
  /** The folder with the installed package in its `node_modules`. */
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The user "nobody", who owns the world-writable folder if the tests run as root. */
const stranger = 65534;

/**
 * Creates the folders.
 *
 * @param installed A folder from `installPacked()`
 */
export function makeScene(installed: string): Scene {
  const root = tempDir();
  const world = join(root, "world");
  const parent = join(world, "parent");
  const project = join(root, "above", `projéct's "$(door)" *`);
  const folders = {
    ...{ world, parent, cwd: join(parent, "cwd") },
    ...{ home: join(root, "home"), xdg: join(root, "xdg"), links: join(root, "links") },
    above: dirname(project),
  };
  const marks = join(root, "marks");
  const bin = join(root, "bin");
  for (const folder of [...Object.values(folders), marks, bin, project]) {
    mkdirSync(folder, { recursive: true });
  }
  chmodSync(world, 0o1777);
  if (process.getuid?.() === 0) chownSync(world, stranger, stranger);
  symlinkSync(process.execPath, join(bin, "bun"));
  Bun.spawnSync(["cp", "-Rdl", join(installed, "node_modules"), project]);
  const PATH = `${bin}:/usr/local/bin:/usr/bin:/bin`;
  const env = { HOME: folders.home, XDG_CONFIG_HOME: folders.xdg, TERM: "dumb", PATH };
  return { folders, root, marks, project, env };
}

/** The traps obeyed since the last call. */
export function takeMarks({ marks }: Scene): string[] {
  const found = readdirSync(marks).sort();
  for (const name of found) rmSync(join(marks, name));
  return found;
}
