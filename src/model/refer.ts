/**
 * Renaming and linking. Both need rights on two directories, and a file may not gain rights in its
 * new place. Source: `current_check_refer_path()`, `no_more_access()` and
 * `is_access_to_paths_allowed()` of Linux 7.3, `security/landlock/fs.c`.
 */
import { accessFs, fileRights, type FsRight } from "../kernel/abi.ts";
import type { Layer } from "./layer.ts";
import type { Inode, Place } from "./place.ts";
import { ask, grant, isGranted, type Missing } from "./walk.ts";

/** One of the two directories, and what its entry gains or loses. */
interface End {
  readonly request: ReadonlySet<FsRight>;
  /** The file that moves from this directory to the other. */
  readonly leaving: Inode | undefined;
  readonly parents: readonly Inode[];
  missing: Missing;
}

/** The result of the check. */
export interface Referral {
  readonly allowed: boolean;
  readonly errno: "EACCES" | "EXDEV";
  /** Rights denied in the file's current directory. */
  readonly from: Missing;
  /** Rights denied in its new directory. */
  readonly to: Missing;
  /** For each layer, rights that the file would only have in its new place. */
  readonly gained: Missing;
}

/**
 * Checks a rename or link between two different directories of one mount.
 *
 * @param source The existing file and its directory
 * @param target Its new place
 * @param requests Rights needed in the two directories, apart from `refer`
 * @param exchange Whether the two files swap places
 */
export function refer(
  layers: readonly Layer[],
  source: Place,
  target: Place,
  requests: { readonly from: ReadonlySet<FsRight>; readonly to: ReadonlySet<FsRight> },
  exchange: boolean,
): Referral {
  const everything = new Set(accessFs);
  const end = (place: Place, request: ReadonlySet<FsRight>, leaving: Inode | undefined): End => ({
    request: request.union(new Set(["refer"] as const)),
    leaving,
    parents: place.parents,
    missing: ask(layers, everything),
  });
  const from = end(source, requests.from, source.file);
  const to = end(target, requests.to, exchange ? target.file : undefined);
  for (const one of [from, to]) {
    for (const inode of withinMount(one.parents)) one.missing = grant(one.missing, layers, inode);
  }
  const walked = walkUp(layers, from, to);
  return {
    ...walked,
    errno: [from, to].some(deniesMoreThanRefer) ? "EACCES" : "EXDEV",
    from: requested(from),
    to: requested(to),
  };
}

/** The directories up to and including the root of the mount. */
function withinMount(parents: readonly Inode[]): readonly Inode[] {
  const root = parents.findIndex(({ mounted }) => mounted);
  return root < 0 ? parents : parents.slice(0, root + 1);
}

/**
 * Walks from the root of the mount to the root of the system. Once the new place is known to add no
 * rights, only the requested rights matter. Like the kernel, it doesn't compare again after the
 * last step.
 */
function walkUp(
  layers: readonly Layer[],
  from: End,
  to: End,
): Pick<Referral, "allowed" | "gained"> {
  const ends = [from, to];
  const nothing = layers.map(() => new Set<FsRight>());
  const granted = () => ends.every(({ missing }) => isGranted(missing));
  if (granted()) return { allowed: true, gained: nothing };
  let gained: Missing = nothing;
  let comparing = true;
  for (const inode of from.parents.slice(withinMount(from.parents).length - 1)) {
    if (comparing) {
      gained = gainsOf(layers, from, to);
      comparing = !isGranted(gained);
      if (!comparing) for (const end of ends) end.missing = requested(end);
    }
    if (granted()) return { allowed: true, gained };
    for (const end of ends) end.missing = grant(end.missing, layers, inode);
    if (granted()) return { allowed: true, gained };
  }
  return { allowed: false, gained };
}

function requested({ missing, request }: End): Missing {
  return missing.map((rights) => rights.intersection(request));
}

function deniesMoreThanRefer(end: End): boolean {
  return requested(end).some((rights) => [...rights].some((right) => right !== "refer"));
}

/** For each layer, the rights that the moved files would only have in their new places. */
function gainsOf(layers: readonly Layer[], from: End, to: End): Missing {
  const there = gainedBy(layers, from.leaving, from.missing, to.missing);
  const back = gainedBy(layers, to.leaving, to.missing, from.missing);
  return there.map((rights, i) => rights.union(back[i]!));
}

function gainedBy(
  layers: readonly Layer[],
  file: Inode | undefined,
  old: Missing,
  next: Missing,
): Missing {
  if (file === undefined) return layers.map(() => new Set());
  // Rights granted on the file itself stay with it wherever it is.
  const own = grant(ask(layers, new Set(accessFs)), layers, file);
  return old.map((rights, i) => {
    const gained = rights.intersection(own[i]!).difference(next[i]!);
    // Only file rights apply to a file that isn't a directory.
    return file.type === "directory" ? gained : gained.intersection(new Set(fileRights));
  });
}
