/** The layers to judge by: those in force, with the files that their rules were bound to. */
import { statSync } from "node:fs";
import type { LayerRecord } from "../sandbox/layers.ts";
import type { Rights } from "../kernel/abi.ts";
import type { PathRule, PortRule } from "../sandbox/plan.ts";
import { probe } from "../kernel/probe.ts";
import { machineFiles } from "../model/files.ts";
import { layerOf, type Layer } from "../model/layer.ts";
import type { Sandbox } from "./remedy.ts";

/** A layer as people have it: a `Plan`, a `Report`, or something that holds a plan. */
export interface LayerLike {
  readonly handled: Rights;
  readonly rules: readonly (PathRule | PortRule)[];
}

/** The layers of this machine's kernel, and what of their rules is lost. */
export interface Known extends Required<Sandbox> {
  /** Rules whose path leads to a file by now that did not exist when they were made. */
  readonly lost: readonly PathRule[];
}

/** Layers whose rules are about what is at their paths now. */
export function plannedLayers(layers: readonly LayerLike[]): Known {
  return known(
    layers.map((layer) => layerOf(layer, machineFiles)),
    [],
  );
}

function known(layers: readonly Layer[], lost: readonly PathRule[]): Known {
  return { layers, files: machineFiles, kernel: probe(), lost };
}

/** Layers that were enforced some time ago. */
export function recordedLayers(layers: readonly LayerRecord[]): Known {
  const lost: PathRule[] = [];
  const holding = layers.map(({ handled, rules, at, cwd }) => {
    const kept = rules.flatMap((rule): (PathRule | PortRule)[] => {
      if ("port" in rule) return [rule];
      const path = rule.path.startsWith("/") ? rule.path : `${cwd}/${rule.path}`;
      const absolute = { ...rule, path };
      if (bornAt(path) <= at) return [absolute];
      lost.push(absolute);
      return [];
    });
    return layerOf({ handled, rules: kept }, machineFiles);
  });
  return known(holding, lost);
}

/** In milliseconds since 1970; 0 where the file system does not keep it, as /proc. */
function bornAt(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.birthtimeMs ?? 0;
  } catch {
    return 0;
  }
}
