/** Commands in a sandbox, started from the command line: what each tool adds to `/bin/true`. */
import { join } from "node:path";
import { interleave } from "../interleave.ts";
import { cProgram } from "../peers/programs.ts";
import { sandboxes } from "../peers/sandboxes.ts";
import { lifetime } from "../processes.ts";
import type { Group } from "../results.ts";
import type { Workshop } from "../workshop.ts";

const ours = "landlock-restrict";
const empty = "bun empty.ts";

export async function launch(workshop: Workshop): Promise<Group[]> {
  const { folder } = workshop;
  const debian = await workshop.debian();
  const script = await workshop.script("empty.ts", "");
  const javascript = await workshop.script("empty.mjs", "");
  const restrict = join(folder, "node_modules", ".bin", "landlock-restrict");
  const readable = ["/usr", "/bin", "/lib", "/lib64"];
  const runtime = (name: string, words: readonly string[]) =>
    Bun.which(name) === null
      ? ({ name: words.join(" "), role: "base", absent: `there is no ${name} here` } as const)
      : lifetime({ name: `${name} empty script`, role: "base" }, [...words, javascript]);
  const entries = await interleave(
    [
      lifetime({ name: "/bin/true alone", role: "base" }, ["/bin/true"]),
      lifetime({ name: "C", role: "floor" }, [
        cProgram("launch", ["launch.c"]),
        ...readable,
        ...["/tmp", "--", "/bin/true"],
      ]),
      ...sandboxes(debian).map((one) =>
        "absent" in one
          ? one
          : lifetime({ name: one.name, role: "peer" }, [...one.words, "/bin/true"]),
      ),
      lifetime({ name: empty, role: "base" }, [process.execPath, script]),
      lifetime({ name: ours, role: "ours" }, [
        restrict,
        ...["-ro", ...readable, "-rw", "/tmp", "--", "/bin/true"],
      ]),
      runtime("node", ["node"]),
      runtime("deno", ["deno", "run"]),
    ],
    workshop.rounds(150),
  );
  const bars = [{ of: ours, times: 1.3, against: [empty] }];
  const id = "launch";
  const title = "Launch /bin/true in a sandbox";
  return [
    { id, title, unit: "ms", entries, bars, charted: true },
    await memory(workshop, restrict),
  ];
}

/** How much of the tool stays in the command's memory. */
async function memory(workshop: Workshop, restrict: string): Promise<Group> {
  const peak = [
    "/bin/sh",
    "-c",
    'exec /usr/bin/awk "/^VmHWM/ { print \\"[\\" \\$2 \\"]\\" }" /proc/self/status',
  ];
  const sample = (words: readonly string[]) => () => {
    const text = Bun.spawnSync([...words]).stdout.toString();
    return JSON.parse(text) as number[];
  };
  const entries = await interleave(
    [
      { labels: [{ name: "alone", role: "base" }], sample: sample(peak) },
      {
        labels: [{ name: ours, role: "ours" }],
        sample: sample([restrict, "-ro", "/", "--", ...peak]),
      },
    ],
    workshop.rounds(20),
  );
  const bars = [{ of: ours, times: 1.05, against: ["alone"] }];
  return { id: "memory", title: "Peak memory of the running command", unit: "KiB", entries, bars };
}
