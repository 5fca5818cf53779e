/** What each opened file costs afterwards, by the number of layers. */
import { join } from "node:path";
import { interleave } from "../interleave.ts";
import { testimony } from "../processes.ts";
import type { Group } from "../results.ts";
import type { Workshop } from "../workshop.ts";

export async function opens(workshop: Workshop): Promise<Group[]> {
  const { folder } = workshop;
  const script = await workshop.inside("opens.ts");
  const entries = await interleave(
    [0, 1, 4, 16].map((layers) => {
      const name = layers === 0 ? "no sandbox" : `${layers} ${layers === 1 ? "layer" : "layers"}`;
      const role = layers === 0 ? "base" : "ours";
      const words = [process.execPath, script, `${layers}`, join(folder, "package.json")];
      return testimony([{ name, role }], words, { cwd: folder });
    }),
    workshop.rounds(30),
  );
  return [
    {
      id: "opens",
      title: "Open and close a file, ever after",
      unit: "ns",
      entries,
      bars: [],
      charted: true,
    },
  ];
}
