/** Shrinks a known failure, without any process. */
import { expect, test } from "bun:test";
import { drawWorld } from "./property/draw.ts";
import { shrink } from "./property/shrink.ts";
import type { World } from "./property/world.ts";

const privileges = { unshare: ["unshare"], devices: true };

test("a seed draws one world, and another seed another one", () => {
  const drawn = [1, 1, 2].map((seed) => JSON.stringify(drawWorld(seed, privileges, 20)));
  expect(drawn[0]).toBe(drawn[1]!);
  expect(drawn[0]).not.toBe(drawn[2]!);
});

test("shrink() leaves what the failure needs, and nothing else", async () => {
  /** Fails if there is a FIFO, and a rename under a layer that grants refer. */
  const fails = async ({ steps, layers, trials }: World) =>
    steps.some(({ make }) => make === "fifo") &&
    layers.some(({ rules }) => rules.some(({ access }) => access.includes("refer" as never))) &&
    trials.some(({ operation }) => operation.kind === "rename");
  let seed = 1;
  while (!(await fails(drawWorld(seed, privileges, 40)))) seed++;
  const small = await shrink(drawWorld(seed, privileges, 40), fails);
  expect([small.steps.length, small.layers.length, small.trials.length]).toEqual([1, 1, 1]);
  expect(small.mounts).toBeFalse();
  const [{ handled, rules, at }] = small.layers as [World["layers"][number]];
  expect(handled).toEqual({ fs: ["refer"], net: [], scoped: [] });
  expect(rules.map(({ access }) => access)).toEqual([["refer"]]);
  expect(at).toBeLessThanOrEqual(1);
});

test("shrink() takes a world that cannot be run for one that does not fail", async () => {
  const world = drawWorld(3, privileges, 10);
  const fails = async (smaller: World) => {
    if (smaller !== world) throw new Error("cannot be run");
    return true;
  };
  expect(await shrink(world, fails)).toEqual(world);
});
