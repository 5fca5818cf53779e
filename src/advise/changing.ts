/** Paths whose names are other ones each time, so that no rule can hold them. */

/** Where terminals are: each gets the next number that is free. */
export const terminals = "/dev/pts";

/** Where control groups are: each session has its own. */
export const cgroups = "/sys/fs/cgroup";

/** The folder that stands for a path in it, whose name is another one each time. */
export function whereNamesChange(path: string): string | undefined {
  return [terminals, cgroups].find((folder) => path.startsWith(`${folder}/`));
}
