/** Draws rulesets. */
import {
  accessFs,
  accessNet,
  fileRights,
  scopes,
  type FsRight,
  type Rights,
} from "../../../src/kernel/abi.ts";
import type { Random } from "../../random.ts";
import type { Drawn } from "./draw-files.ts";
import { ports, type DrawnLayer, type DrawnRule } from "./world.ts";

function drawHandled(random: Random): Rights {
  const none: Rights = { fs: [], net: [], scoped: [] };
  const kind = random.below(20);
  if (kind < 7) return { fs: accessFs, net: accessNet, scoped: random.some(scopes) };
  if (kind < 10) return { ...none, fs: accessFs };
  if (kind < 12) return { ...none, net: someOf(random, accessNet) };
  if (kind < 13) return { ...none, scoped: [random.one(scopes)] };
  if (kind < 14) return { ...none, fs: [random.one(accessFs)] };
  if (kind < 15) return { ...none, fs: accessFs.filter((right) => right !== "refer") };
  return { fs: someOf(random, accessFs), net: random.some(accessNet), scoped: random.some(scopes) };
}

/** At least one. */
function someOf<Right>(random: Random, all: readonly Right[]): Right[] {
  return [...new Set([random.one(all), ...random.some(all)])];
}

/** Few of some rights, or nearly all of them. */
function drawRights(random: Random, all: readonly FsRight[], wide: boolean): FsRight[] {
  const share = random.one(wide ? [0.6, 0.95, 1] : [0.3, 0.85, 0.95, 1]);
  return all.filter(() => random.chance(share));
}

function drawPathRule(random: Random, drawn: Drawn, handled: Rights, wide: boolean): DrawnRule[] {
  const onFile = !wide && random.chance(0.35);
  const outside = ["/", "/", "..", "/usr", "/dev", "/dev/null"];
  let path = random.one(drawn.directories);
  if (wide) path = random.one([".", ".", "/", ".."]);
  else if (onFile) path = random.one([...drawn.files, ...drawn.sockets]);
  else if (random.chance(0.15)) path = random.one(outside);
  const fitting = onFile ? handled.fs.filter((right) => fileRights.includes(right)) : handled.fs;
  const access = drawRights(random, fitting, wide);
  return access.length === 0 ? [] : [{ path, access }];
}

function drawPortRule(random: Random, handled: Rights): DrawnRule[] {
  const access = handled.net.filter(() => random.chance(0.6));
  const port = random.one(Object.values(ports));
  return access.length === 0 ? [] : [{ port, access }];
}

/** A layer by which nearly everything may be moved, and files may gain rights by it. */
function drawMoving(random: Random, drawn: Drawn): Omit<DrawnLayer, "at"> {
  const handled = { fs: accessFs, net: [], scoped: [] };
  const access = accessFs.filter((right) => !fileRights.includes(right) || random.chance(0.5));
  const rules = Array.from({ length: 4 }, () => drawPathRule(random, drawn, handled, false));
  return { handled, rules: [{ path: ".", access }, ...rules.flat()] };
}

function drawLayer(random: Random, drawn: Drawn): Omit<DrawnLayer, "at"> {
  const handled = drawHandled(random);
  const rules: DrawnRule[] = [];
  if (handled.fs.length > 0) {
    if (random.chance(0.65)) rules.push(...drawPathRule(random, drawn, handled, true));
    for (let i = random.below(9); i > 0; i--) {
      rules.push(...drawPathRule(random, drawn, handled, false));
    }
  }
  if (handled.net.length > 0) {
    for (let i = random.below(5); i > 0; i--) rules.push(...drawPortRule(random, handled));
  }
  return { handled, rules };
}

/** Draws one to four layers. */
export function drawLayers(random: Random, drawn: Drawn): DrawnLayer[] {
  const { length } = drawn.steps;
  const drawOne = random.chance(0.3) ? drawMoving : drawLayer;
  return Array.from({ length: random.one([1, 1, 2, 2, 3, 4]) }, () => ({
    ...drawOne(random, drawn),
    at: random.chance(0.8) ? length : random.below(length + 1),
  }));
}
