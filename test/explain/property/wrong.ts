/** Models with one mistake each, which the property test must notice. */
import { evaluate, type Verdict } from "../../../src/model/model.ts";
import type { Layer } from "../../../src/model/layer.ts";

type Evaluate = typeof evaluate;

const allowed: Verdict = { allowed: true };

function changed(layer: Layer, change: Partial<Layer>): Layer {
  return { ...layer, ...change };
}

/** A verdict without some of its denials; all of them share the errno. */
function without(verdict: Verdict, drop: (right: string, gains: boolean) => boolean): Verdict {
  if (verdict.allowed) return verdict;
  const rest = verdict.denials.filter(({ right, gained }) => !drop(right, gained !== undefined));
  return rest.length === 0 ? allowed : { ...verdict, denials: rest };
}

/** Wrong models by their mistake. */
export const wrongModels: Readonly<Record<string, Evaluate>> = {
  "ignores the second layer": (operation, layers, files, kernel) =>
    evaluate(
      operation,
      layers.filter((_, i) => i !== 1),
      files,
      kernel,
    ),
  "lets files gain rights by a new place": (operation, layers, files, kernel) =>
    without(evaluate(operation, layers, files, kernel), (_, gains) => gains),
  "does not ask for refer": (operation, layers, files, kernel) =>
    without(evaluate(operation, layers, files, kernel), (right) => right === "refer"),
  "answers EACCES instead of EXDEV": (operation, layers, files, kernel) => {
    const verdict = evaluate(operation, layers, files, kernel);
    return verdict.allowed || verdict.errno !== "EXDEV" ? verdict : { ...verdict, errno: "EACCES" };
  },
  "gathers rights across layers": (operation, layers, files, kernel) => {
    const grants = new Map<string, Set<never>>();
    for (const layer of layers) {
      for (const [id, rights] of layer.grants) {
        const known = grants.get(id) ?? new Set();
        for (const right of rights) known.add(right as never);
        grants.set(id, known);
      }
    }
    return evaluate(
      operation,
      layers.map((layer) => changed(layer, { grants })),
      files,
      kernel,
    );
  },
  "forgets the rules of a file itself": (operation, layers, files, kernel) => {
    const unruled = layers.map((layer) => {
      const inSight = "path" in operation ? files.find(operation.path, true).file : undefined;
      if (inSight === undefined || inSight.type === "directory") return layer;
      const grants = new Map([...layer.grants].filter(([id]) => id !== inSight.id));
      return changed(layer, { grants });
    });
    return evaluate(operation, unruled, files, kernel);
  },
  "lets layers about something else than files deny no refer": (
    operation,
    layers,
    files,
    kernel,
  ) => {
    const others = layers.filter(({ handled }) => handled.fs.length > 0);
    return evaluate(operation, "path" in operation ? others : layers, files, kernel);
  },
  "forgets truncate": (operation, layers, files, kernel) =>
    without(evaluate(operation, layers, files, kernel), (right) => right === "truncate"),
};
