/**
 * How rights add up along a path: inside a layer they are gathered from the file up to the root, and
 * every layer must consent. Source: `is_access_to_paths_allowed()` of Linux 7.3,
 * `security/landlock/fs.c`.
 */
import type { FsRight } from "../kernel/abi.ts";
import type { Layer } from "./layer.ts";
import type { Inode } from "./place.ts";

/** For each layer, the rights that it still denies (kernel: `layer_masks`). */
export type Missing = readonly ReadonlySet<FsRight>[];

/** What a layer denies as long as no rule grants it. `refer` is, handled or not. */
function deniedAtFirst({ handled }: Layer): ReadonlySet<FsRight> {
  return new Set(handled.fs.length === 0 ? [] : [...handled.fs, "refer" as const]);
}

/** What of a request each layer denies before any rule is looked at. */
export function ask(layers: readonly Layer[], request: ReadonlySet<FsRight>): Missing {
  return layers.map((layer) => deniedAtFirst(layer).intersection(request));
}

/** What is still denied once the rules of a file were looked at. */
export function grant(missing: Missing, layers: readonly Layer[], inode: Inode): Missing {
  return missing.map((rights, i) => rights.difference(layers[i]!.grants.get(inode.id) ?? none));
}

const none: ReadonlySet<FsRight> = new Set();

/** Whether no layer denies anything any more. */
export function isGranted(missing: Missing): boolean {
  return missing.every((rights) => rights.size === 0);
}

/**
 * What of a request is denied on a file.
 *
 * @param chain The file, and the directories it is in up to the root
 */
export function missingOn(
  layers: readonly Layer[],
  chain: readonly Inode[],
  request: ReadonlySet<FsRight>,
): Missing {
  return chain.reduce((missing, inode) => grant(missing, layers, inode), ask(layers, request));
}
