/**
 * Adds up rights along a path. A layer collects rights from the file up to the root, and every
 * layer must grant the request. Source: `is_access_to_paths_allowed()` of Linux 7.3,
 * `security/landlock/fs.c`.
 */
import type { FsRight } from "../kernel/abi.ts";
import type { Layer } from "./layer.ts";
import type { Inode } from "./place.ts";

/** For each layer, the rights that it still denies (kernel: `layer_masks`). */
export type Missing = readonly ReadonlySet<FsRight>[];

/**
 * The rights that a layer denies unless a rule grants them. A layer that handles any file right
 * also denies `refer`.
 */
function deniedAtFirst({ handled }: Layer): ReadonlySet<FsRight> {
  return new Set(handled.fs.length === 0 ? [] : [...handled.fs, "refer" as const]);
}

/** The part of a request that each layer denies before any rule applies. */
export function ask(layers: readonly Layer[], request: ReadonlySet<FsRight>): Missing {
  return layers.map((layer) => deniedAtFirst(layer).intersection(request));
}

/** The rights that are still denied after the rules of a file apply. */
export function grant(missing: Missing, layers: readonly Layer[], inode: Inode): Missing {
  return missing.map((rights, i) => rights.difference(layers[i]!.grants.get(inode.id) ?? none));
}

const none: ReadonlySet<FsRight> = new Set();

/** Whether no layer denies anything. */
export function isGranted(missing: Missing): boolean {
  return missing.every((rights) => rights.size === 0);
}

/**
 * The part of a request that is denied on a file.
 *
 * @param chain The file and its parent directories up to the root
 */
export function missingOn(
  layers: readonly Layer[],
  chain: readonly Inode[],
  request: ReadonlySet<FsRight>,
): Missing {
  return chain.reduce((missing, inode) => grant(missing, layers, inode), ask(layers, request));
}
