/** A grant of a draft, in the words of options and policies. */
import type { FsRight } from "../kernel/abi.ts";
import { roDirs, roFiles, rwDirs, rwFiles } from "../sandbox/rules.ts";
import type { PathKey } from "../vocabulary.ts";
import { isWritable, ordered } from "./fold.ts";
import type { Draft } from "./draft.ts";
import { statsOf } from "./stats.ts";

/** How a path is granted. */
export interface Grant {
  readonly access: PathKey | readonly FsRight[];
  readonly refer?: true;
  readonly ifMissing?: "skip" | "create";
}

/**
 * The grants of a draft on paths.
 *
 * @param restricted The rights that must be granted; others are left out
 */
export function grantsOf(
  { grants, missing }: Draft,
  restricted: readonly FsRight[],
): (readonly [path: string, grant: Grant, isDirectory: boolean])[] {
  return [...grants].flatMap(([path, rights]) => {
    const known = ordered(rights).filter((right) => restricted.includes(right));
    if (known.length === 0) return [];
    const ifMissing = missing.get(path);
    const isDirectory =
      ifMissing === "create" || (ifMissing === undefined && (statsOf(path)?.isDirectory() ?? true));
    const grant = { ...grantFor(known, isDirectory), ...(ifMissing ? { ifMissing } : {}) };
    return [[path, grant, isDirectory] as const];
  });
}

function grantFor(rights: readonly FsRight[], isDirectory: boolean): Grant {
  const within = (list: readonly FsRight[]) => rights.every((right) => list.includes(right));
  if (!isDirectory) {
    if (within(roFiles("/").access)) return { access: "roFiles" };
    return { access: within(rwFiles("/").access) ? "rwFiles" : rights };
  }
  if (within(roDirs("/").access) && rights.includes("read_file")) return { access: "ro" };
  const writable = isWritable(new Set(rights));
  if (writable && within(rwDirs("/").access)) return { access: "rw" };
  if (writable && within([...rwDirs("/").access, "refer"])) return { access: "rw", refer: true };
  return { access: rights };
}
