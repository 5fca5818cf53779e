/** The layers to judge by, with the files that their rules apply to. */
import { statSync } from "node:fs";
import type { LayerRecord } from "../sandbox/layers.ts";
import type { Rights } from "../kernel/abi.ts";
import type { PathRule, PortRule } from "../sandbox/plan.ts";
import { probe } from "../kernel/probe.ts";
import { machineFiles } from "../model/files.ts";
import { layerOf, type Layer } from "../model/layer.ts";
import type { Sandbox } from "./remedy.ts";

/** A layer from the caller: a `Plan`, a `Report`, or an object that contains a plan. */
export interface LayerLike {
  readonly handled: Rights;
  readonly rules: readonly (PathRule | PortRule)[];
}

/** Layers on this machine's kernel, and their rules that no longer match. */
export interface Known extends Required<Sandbox> {
  /** Rules whose path leads to a newer file than the one that they applied to. */
  readonly lost: readonly PathRule[];
}

/** Layers whose rules apply to the current files at their paths. */
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

/** The time of birth in milliseconds since 1970, or 0 if the file system has none, like /proc. */
function bornAt(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.birthtimeMs ?? 0;
  } catch {
    return 0;
  }
}
