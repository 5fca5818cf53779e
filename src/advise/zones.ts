/** Decides how large a directory a grant may cover, so that people can understand it. */
import { isWithin, parentOf } from "../kernel/names.ts";
import type { GoverningPlaces } from "./governing-places.ts";
import type { Secrets } from "./secrets.ts";

/** The project and the home directory of a run. */
export interface Place {
  /** The directory that the command was started in, unless it is too large to be a project. */
  readonly project: string | undefined;
  /** The home directory, if known. */
  readonly home: string | undefined;
}

/** The surroundings of a run. */
export interface Surroundings extends Place {
  readonly secrets: Secrets;
  /** The files that decide what runs later. */
  readonly governing: GoverningPlaces;
  /** The folder for temporary files, without symbolic links; default: `/tmp`. */
  readonly tmp?: string;
}

/** Directories that many programs share: those of hier(7), and some beneath them. */
const sharedPaths =
  /^\/((bin|boot|dev|etc|home|lib\w*|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)?|home\/[^/]+|var\/(tmp|lib|cache|log)|usr\/(lib|share|local)|nix\/store)$/;

/** Whether many programs share a directory. */
export function isShared(directory: string): boolean {
  return (
    sharedPaths.test(directory) ||
    /\/\.(config|cache|local|local\/(share|state|lib))$/.test(directory)
  );
}

/** Whether a directory can be a project, unlike `/etc`, where commands are also started. */
export function isProject(directory: string, home: string | undefined): boolean {
  return directory !== home && !sharedPaths.test(directory);
}

/** Temporary folders that all users share. */
export const temporaryFolders: readonly string[] = ["/tmp", "/var/tmp", "/dev/shm"];

/**
 * Whether a path contains a random name, such as one of mktemp(1), which differs in each run. The
 * names of the project and the home don't count.
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
  // The parent of a home directory or a project also contains other people's files.
  return [home, project].some((path) => path?.startsWith(`${directory}/`));
}

/** Directories, and how many levels below each of them a granted directory must be. */
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

/** Folders in a home directory that contain one folder per program. */
const homeParts = /^\.(config|cache|local\/(share|state|lib))$/;

/** Whether a path belongs to the system. Everyone may read it, so it is granted generously. */
export function isSystem(path: string): boolean {
  return /^\/(usr|nix|gnu)\//.test(path);
}

/**
 * The highest directory that may be granted for a path. Undefined if only the path itself may be.
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

/** The deepest directory that contains all of the paths. */
export function commonDirectory(paths: readonly string[]): string {
  return paths.reduce((common, path) => {
    let shared = common;
    while (shared !== path && shared !== "/" && !path.startsWith(`${shared}/`))
      shared = parentOf(shared);
    return shared;
  });
}
