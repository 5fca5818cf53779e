/** Makes a failing world smaller as long as it still fails. */
import type { World } from "./world.ts";

type Fails = (world: World) => Promise<boolean>;

/**
 * The list without what can be left out: first halves of it, then ever smaller parts.
 *
 * @param fails Whether a shorter list will do
 */
async function fewer<Item>(
  items: readonly Item[],
  fails: (items: readonly Item[]) => Promise<boolean>,
): Promise<readonly Item[]> {
  let kept = items;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let from = 0; from < kept.length;) {
      const rest = kept.toSpliced(from, size);
      if (await fails(rest)) kept = rest;
      else from += size;
    }
  }
  return kept;
}

/** A world without one of its steps, with the layers opened where they were. */
function withSteps(world: World, steps: World["steps"]): World {
  const layers = world.layers.map((layer) => ({
    ...layer,
    at: steps.filter((step) => world.steps.indexOf(step) < layer.at).length,
  }));
  return { ...world, steps, layers };
}

/** Replaces one layer. */
function withLayer(world: World, at: number, change: object): World {
  const layers = world.layers.map((layer, i) => (i === at ? { ...layer, ...change } : layer));
  return { ...world, layers };
}

/** One pass over all parts of a world. */
async function pass(world: World, fails: Fails): Promise<World> {
  let small = world;
  const attempt = (make: (base: World) => World) => async () => {
    const next = make(small);
    return (await fails(next)) && ((small = next), true);
  };
  await fewer(small.trials, (trials) => attempt((base) => ({ ...base, trials }))());
  await fewer(small.layers, (layers) => attempt((base) => ({ ...base, layers }))());
  for (const i of small.layers.keys()) {
    const layer = () => small.layers[i]!;
    await fewer(layer().rules, (rules) => attempt((base) => withLayer(base, i, { rules }))());
    const of = layer().handled;
    for (const family of ["fs", "net", "scoped"] as const) {
      await fewer<string>(of[family], (rights) =>
        attempt((base) => {
          const handled = { ...base.layers[i]!.handled, [family]: rights };
          const keeps = (right: string) => family === "scoped" || rights.includes(right);
          const rules = base.layers[i]!.rules.map((rule) =>
            "path" in rule === (family === "fs")
              ? { ...rule, access: rule.access.filter(keeps) }
              : rule,
          ).filter(({ access }) => access.length > 0);
          return withLayer(base, i, { handled, rules });
        })(),
      );
    }
  }
  if (small.mounts) await attempt((base) => ({ ...base, mounts: false }))();
  await fewer(small.steps, (steps) => attempt((base) => withSteps(base, steps))());
  return small;
}

/**
 * The smallest world found.
 *
 * @param fails Whether a world shows the failure still; one that cannot be run does not
 */
export async function shrink(world: World, fails: Fails): Promise<World> {
  let small = world;
  const still: Fails = async (smaller) => {
    const empty = smaller.layers.some(({ handled: { fs, net, scoped } }) =>
      [fs, net, scoped].every((rights) => rights.length === 0),
    );
    if (empty) return false;
    return fails(smaller).catch(() => false);
  };
  for (let size = Infinity; JSON.stringify(small).length < size;) {
    size = JSON.stringify(small).length;
    small = await pass(small, still);
  }
  return small;
}
