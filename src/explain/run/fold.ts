/** From many files to the directories that a person would name for them. */

/** So many of one directory, and the directory is named instead of them. */
const manyFiles = 4;

/**
 * Directories that hold what belongs to one program or one package each, and nothing of anybody's
 * own: what is beneath them is read as a whole.
 */
const packages = [
  /^\/usr(\/local)?\/(share|libexec|lib|lib64|include)\/(?!\w+-linux-\w+\/)[^/]+(?=\/)/,
  /^\/usr\/lib\/[\w-]+-linux-\w+\/[^/]+(?=\/)/,
  /^\/opt\/[^/]+(?=\/)/,
  /^.*?\/node_modules(?=\/)/s,
  /^.*?\/\.git(?=\/)/s,
];

/** Directories that are too much for a few of their files. */
const tooWide =
  /^\/$|^\/(etc|proc|sys|dev|run|var|tmp|home|root|mnt|media|srv|boot|opt)$|^\/home\/[^/]+$|^\/var\/(lib|run|log|tmp|spool)$/;
/** What has to be named file by file: directories of keys and of settings. */
const ownNames = /\/\.[^/]+(\/|$)|^\/etc\/(ssh|ssl\/private|sudoers\.d)(\/|$)/;

/**
 * Which directory stands for which file, by the number of files of a directory and by the known
 * places of packages.
 *
 * @param paths Absolute paths of files that are to be read
 * @param granted Paths that can be read already: they count among the files of a directory
 * @returns The directory for each of the paths that has one
 */
export function foldPaths(
  paths: readonly string[],
  granted: readonly string[] = [],
): ReadonlyMap<string, string> {
  const folded = new Map<string, string>();
  for (const path of paths) {
    const place = packagePlace(path);
    if (place !== undefined) folded.set(path, place);
  }
  const rest = [...paths, ...granted].filter((path) => !folded.has(path));
  for (const [path, directory] of foldByNumber(rest)) folded.set(path, directory);
  return folded;
}

function packagePlace(path: string): string | undefined {
  const found = packages
    .map((place) => place.exec(path)?.[0])
    .filter((place) => place !== undefined);
  // The deepest: of a package manager's folder, not of the folder of all CPUs' libraries.
  return found.sort((a, b) => b.length - a.length)[0];
}

/**
 * Which directory stands for which file, where there are many files of one directory. Deepest
 * directories first, so that many directories of one become one as well.
 */
export function foldByNumber(paths: readonly string[]): ReadonlyMap<string, string> {
  const standsFor = new Map(paths.map((path) => [path, [path]]));
  const folded = new Map<string, string>();
  const depth = Math.max(0, ...paths.map((path) => path.split("/").length));
  for (let level = depth; level > 2; level--) {
    const children = new Map<string, string[]>();
    for (const name of standsFor.keys()) {
      if (name.split("/").length !== level) continue;
      const directory = name.slice(0, name.lastIndexOf("/"));
      children.set(directory, [...(children.get(directory) ?? []), name]);
    }
    for (const [directory, names] of children) {
      if (names.length < manyFiles || tooWide.test(directory) || ownNames.test(directory)) continue;
      const all = names.flatMap((name) => standsFor.get(name)!);
      for (const name of names) standsFor.delete(name);
      standsFor.set(directory, [...(standsFor.get(directory) ?? []), ...all]);
      for (const path of all) folded.set(path, directory);
    }
  }
  return folded;
}
