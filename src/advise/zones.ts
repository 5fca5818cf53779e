/** How far up the tree a grant may go, so that people can tell what it is about. */
import { isWithin, parentOf } from "../kernel/names.ts";
import type { Secrets } from "./secrets.ts";

/** Where a run is. */
interface Place {
  /** The project: the directory that the command was started in, unless too much is in that. */
  readonly project: string | undefined;
  /** The home directory, if it is known. */
  readonly home: string | undefined;
}

/** The surroundings of a run. */
export interface Surroundings extends Place {
  readonly secrets: Secrets;
  /** The folder for temporary files, without symbolic links; default: `/tmp`. */
  readonly tmp?: string;
}

/** Directories that hold what is not one program's: those of hier(7), and some in them. */
const sharedPaths =
  /^\/((bin|boot|dev|etc|home|lib\w*|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)?|home\/[^/]+|var\/(tmp|lib|cache|log)|usr\/(lib|share|local)|nix\/store)$/;

/** Whether a directory holds what is not one program's. */
export function isShared(directory: string): boolean {
  return (
    sharedPaths.test(directory) ||
    /\/\.(config|cache|local|local\/(share|state|lib))$/.test(directory)
  );
}

/** Whether a directory can be a project: whoever starts a command in `/etc` is a guest there. */
export function isProject(directory: string, home: string | undefined): boolean {
  return directory !== home && !sharedPaths.test(directory);
}

/** Where everybody keeps files for a while. */
export const temporaryFolders: readonly string[] = ["/tmp", "/var/tmp", "/dev/shm"];

/**
 * Whether a path goes by a name that was drawn at random, as mktemp(1) does: the next run has another
 * one. Names that the project or the home goes by are not meant.
 *
 * @param folders Folders for temporary files
 */
export function isTemporary(
  path: string,
  folders: readonly string[],
  { project, home }: Place,
): boolean {
  for (const folder of folders) {
    if (!path.startsWith(`${folder}/`)) continue;
    const [name = ""] = path.slice(folder.length + 1).split("/");
    const [, drawn = ""] = /(?:^|[._-])([A-Za-z0-9]{6,})$/.exec(name) ?? [];
    const isDrawn = /\d/.test(drawn)
      ? /[A-Za-z]/.test(drawn)
      : /[a-z][A-Z]|[A-Z]{2}[a-z]/.test(drawn);
    const whole = `${folder}/${name}`;
    const isOwn = [project, home].some((one) => one !== undefined && isWithin(one, whole));
    if (isDrawn && !isOwn) return true;
  }
  return false;
}

/** Whether a directory is never granted as a whole. */
export function isWide(directory: string, { home, project }: Place): boolean {
  if (directory === project) return false;
  if (directory === home || sharedPaths.test(directory) || /^\/[^/]+$/.test(directory)) return true;
  // What a home directory or the project is in has others beside it.
  return [home, project].some((path) => path?.startsWith(`${directory}/`));
}

/** Directories, and how many names below each of them a grant may start. */
const roots: readonly (readonly [RegExp, number])[] = [
  [/^\/usr\/lib\/[\w]+-linux-[\w]+/, 1],
  [/^\/usr(\/local)?\/(lib\w*|share|libexec|src)/, 1],
  [/^\/usr\/include/, 0],
  [/^\/nix\/store/, 1],
  [/^\/dev\/shm/, 0],
  [/^\/(dev|proc)/, Infinity],
  [/^\/sys/, 3],
  [/^\/var/, 2],
  [/^\/(etc|opt|run|tmp)/, 1],
];

/** Names below a home directory that others are below. */
const homeParts = /^\.(config|cache|local\/(share|state|lib))$/;

/** Whether it belongs to the system, which is read by everybody: it is granted generously. */
export function isSystem(path: string): boolean {
  return /^\/(usr|nix|gnu)\//.test(path);
}

/**
 * The highest directory that a grant for a path may be about; nothing where it has to be about the
 * path itself.
 */
export function zoneOf(path: string, { project, home }: Place): string | undefined {
  if (project !== undefined && path.startsWith(`${project}/`)) return below(path, project, 1);
  if (home !== undefined && path.startsWith(`${home}/`)) {
    const parts = path.slice(home.length + 1).split("/");
    const part = [1, 2]
      .map((count) => parts.slice(0, count).join("/"))
      .find((one) => homeParts.test(one));
    return part === undefined ? below(path, home, 1) : below(path, `${home}/${part}`, 1);
  }
  for (const [pattern, depth] of roots) {
    const [root] = pattern.exec(path) ?? [];
    if (root === undefined || !isWithin(path, root)) continue;
    return below(path, root, depth);
  }
  return below(path, "", 2);
}

function below(path: string, root: string, depth: number): string | undefined {
  const names = path
    .slice(root.length + 1)
    .split("/")
    .filter((name) => name !== "");
  return names.length < depth ? undefined : [root, ...names.slice(0, depth)].join("/");
}

/** The deepest directory that all of the paths are in, or are. */
export function commonDirectory(paths: readonly string[]): string {
  return paths.reduce((common, path) => {
    let shared = common;
    while (shared !== path && shared !== "/" && !path.startsWith(`${shared}/`))
      shared = parentOf(shared);
    return shared;
  });
}
