/** Folders in which files lie that Bun, sh or the loader could obey. */
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { tempDir } from "../harness.ts";

/**
 * Where a stranger's files can lie: the current directory, the one above it, a world-writable one
 * above that, HOME, XDG_CONFIG_HOME, a folder of links to programs, and one above the package.
 */
export const places = ["cwd", "parent", "world", "home", "xdg", "links", "above"] as const;
export type Place = (typeof places)[number];

/** The folders of one case, and what a program is started with in them. */
export interface Scene {
  readonly folders: Readonly<Record<Place, string>>;
  /** Above all of them. */
  readonly root: string;
  /** Each trap that is obeyed leaves a file here, named after it. */
  readonly marks: string;
  /** The folder that the package is installed in: it holds `node_modules`. */
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The user "nobody": owns the world-writable folder where the tests run as root. */
const stranger = 65534;

/**
 * Makes the folders.
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

/** The traps that were obeyed since the last call. */
export function takeMarks({ marks }: Scene): string[] {
  const found = readdirSync(marks).sort();
  for (const name of found) rmSync(join(marks, name));
  return found;
}
