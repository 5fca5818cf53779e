/** A layer of the sandbox as the model sees it, with its rules by file and port. */
import type { FsRight, NetRight, Rights } from "../kernel/abi.ts";
import type { Kernel } from "../kernel/probe.ts";
import type { PathRule, PortRule } from "../sandbox/plan.ts";
import type { Files } from "./place.ts";

/** One enforced ruleset. */
export interface Layer {
  /** Rights that are denied unless granted. */
  readonly handled: Rights;
  /** Rights granted on a file and beneath it, by `Inode.id`. */
  readonly grants: ReadonlyMap<string, ReadonlySet<FsRight>>;
  /** Rights granted on a port. */
  readonly ports: ReadonlyMap<number, ReadonlySet<NetRight>>;
}

/**
 * Resolves the rules of a ruleset to files. Several rules for one file add up.
 *
 * @param ruleset A `Report`, or a `Plan` that was not built. A plan's rights that don't apply to a
 *   file do no harm, because no operation asks for them.
 */
export function layerOf(
  ruleset: { readonly handled: Rights; readonly rules: readonly (PathRule | PortRule)[] },
  files: Files,
): Layer {
  const grants = new Map<string, Set<FsRight>>();
  const ports = new Map<number, Set<NetRight>>();
  for (const rule of ruleset.rules) {
    if ("port" in rule) add(ports, rule.port, rule.access);
    else {
      const { file } = files.find(rule.path, true);
      if (file) add(grants, file.id, rule.access);
    }
  }
  return { handled: ruleset.handled, grants, ports };
}

function add<Key, Right>(map: Map<Key, Set<Right>>, key: Key, access: readonly Right[]): void {
  const known = map.get(key) ?? new Set();
  for (const right of access) known.add(right);
  map.set(key, known);
}

/** What decides besides the layers; `probe()` returns it. */
export type KernelVersion = Pick<Kernel, "abi" | "errata">;

/**
 * The layers as the kernel enforces them on files. A layer that handles no right on files still
 * denies `refer` if another layer handles any, as of Linux 7.3.
 */
export function asEnforced(layers: readonly Layer[]): readonly Layer[] {
  if (layers.every(({ handled }) => handled.fs.length === 0)) return layers;
  const denies = ({ fs, net, scoped }: Rights) => fs.length === 0 && net.length + scoped.length > 0;
  return layers.map((layer) =>
    denies(layer.handled) ? { ...layer, handled: { ...layer.handled, fs: ["refer"] } } : layer,
  );
}
