/** Shrinks a failing world while it still fails. */
import type { Rights } from "../../../src/kernel/abi.ts";
import type { DrawnLayer, DrawnRule, World } from "./world.ts";

type Fails = (world: World) => Promise<boolean>;

/**
 * Removes what it can from a list: first halves, then ever smaller parts.
 *
 * @param will Whether a shorter list still fails
 */
async function fewer<Item>(
  items: readonly Item[],
  will: (items: readonly Item[]) => Promise<boolean>,
): Promise<void> {
  let kept = items;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let from = 0; from < kept.length;) {
      const rest = kept.toSpliced(from, size);
      if (await will(rest)) kept = rest;
      else from += size;
    }
  }
}

/** A world with some of its steps; the layers still open at the same point. */
function withSteps(world: World, steps: World["steps"]): World {
  const layers = world.layers.map((layer) => ({
    ...layer,
    at: steps.filter((step) => world.steps.indexOf(step) < layer.at).length,
  }));
  return { ...world, steps, layers };
}

/** A world with one layer changed. */
function withLayer(world: World, at: number, change: Partial<DrawnLayer>): World {
  const layers = world.layers.map((layer, i) => (i === at ? { ...layer, ...change } : layer));
  return { ...world, layers };
}

/** A layer that handles fewer rights, with the rules that still fit. */
function handling(layer: DrawnLayer, handled: Rights): DrawnLayer {
  const known: readonly string[] = [...handled.fs, ...handled.net];
  const keeps = (right: string) => known.includes(right);
  const rules = layer.rules.map(
    (rule) => ({ ...rule, access: rule.access.filter(keeps) }) as DrawnRule,
  );
  return { ...layer, handled, rules: rules.filter(({ access }) => access.length > 0) };
}

/** Tries once to shrink every part of a world. */
async function pass(world: World, fails: Fails): Promise<World> {
  let small = world;
  const attempt = async (next: World) => {
    const will = await fails(next);
    if (will) small = next;
    return will;
  };
  await fewer(small.trials, (trials) => attempt({ ...small, trials }));
  await fewer(small.layers, (layers) => attempt({ ...small, layers }));
  for (const i of small.layers.keys()) {
    const layer = () => small.layers[i]!;
    await fewer(layer().rules, (rules) => attempt(withLayer(small, i, { rules })));
    for (const family of ["fs", "net", "scoped"] as const) {
      await fewer<string>(layer().handled[family], (rights) =>
        attempt(withLayer(small, i, handling(layer(), { ...layer().handled, [family]: rights }))),
      );
    }
  }
  if (small.mounts) await attempt({ ...small, mounts: false });
  await fewer(small.steps, (steps) => attempt(withSteps(small, steps)));
  return small;
}

/**
 * Shrinks a world as far as possible.
 *
 * @param fails Whether a world still shows the failure; one that cannot run does not
 */
export async function shrink(world: World, fails: Fails): Promise<World> {
  const still: Fails = async (smaller) => {
    const handlesNothing = smaller.layers.some(
      ({ handled: { fs, net, scoped } }) => fs.length + net.length + scoped.length === 0,
    );
    return !handlesNothing && fails(smaller).catch(() => false);
  };
  let small = world;
  for (let size = Infinity; JSON.stringify(small).length < size;) {
    size = JSON.stringify(small).length;
    small = await pass(small, still);
  }
  return small;
}
