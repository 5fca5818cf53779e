/** Paths whose names differ in each run, so that no rule can name them. */

/** The folder of terminals. Each gets the next free number. */
export const terminals = "/dev/pts";

/** The folder of control groups. Each session has its own. */
export const cgroups = "/sys/fs/cgroup";

/** The folder to use instead of a path in it, if the path's name differs in each run. */
export function whereNamesChange(path: string): string | undefined {
  return [terminals, cgroups].find((folder) => path.startsWith(`${folder}/`));
}
