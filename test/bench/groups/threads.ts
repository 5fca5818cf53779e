/** Restricting a whole process whose ruleset is built and whose threads sleep. */
import { join } from "node:path";
import { interleave, type Candidate } from "../interleave.ts";
import { cProgram, goProgram, psxProgram } from "../peers/programs.ts";
import { testimony } from "../processes.ts";
import type { Absent, Group, Role } from "../results.ts";
import type { Workshop } from "../workshop.ts";

const counts = [1, 10, 100, 1_000];
const floor = "C, one signal to each";
const library = "lib/, called from C";
const first = "restrictSelf(), first";
const again = "restrictSelf(), again";

export async function threads(workshop: Workshop): Promise<Group[]> {
  const { folder } = workshop;
  const debian = await workshop.debian();
  const c = cProgram("threads", ["threads.c", "crowd.c"]);
  const crowd = cProgram("crowd.so", ["crowd.c"], "-shared", "-fPIC");
  const native = join(import.meta.dir, "../../../lib/prebuilt", `linux-${process.arch}`);
  const script = await workshop.inside("threads.ts");
  const psx = psxProgram(debian);
  const psxName = `libpsx ${debian?.version("libcap-dev") ?? ""}`.trim();
  const go = (["static", "cgo"] as const).map((linking) => ({
    name: `go-landlock ${linking}`,
    program: goProgram(debian, "threads", linking),
  }));
  const groups: Group[] = [];
  for (const count of counts) {
    const absent = (name: string, role: Role, why: string): Absent => ({ name, role, absent: why });
    const one = (name: string, role: Role, program: string | undefined, ...words: string[]) =>
      program === undefined
        ? absent(name, role, "Debian's package cannot be had here")
        : testimony([{ name, role }], [program, `${count}`, ...words]);
    const own = "the runtime has more threads by itself";
    const runtimes: (Candidate | Absent)[] =
      count === 1
        ? [
            absent(first, "ours", own),
            absent(again, "ours", own),
            ...go.map(({ name }) => absent(name, "peer", own)),
          ]
        : [
            testimony(
              [
                { name: first, role: "ours" },
                { name: again, role: "ours" },
              ],
              [process.execPath, script, `${count}`, crowd],
              { cwd: folder },
            ),
            ...go.map(({ name, program }) => one(name, "peer", program)),
          ];
    const entries = await interleave(
      [
        one(floor, "floor", c, "broadcast"),
        one(library, "ours", c, join(native, "liblandlock.so")),
        one(psxName, "peer", psx, "psx"),
        ...runtimes,
      ],
      workshop.rounds(count >= 1_000 ? 15 : 60),
    );
    const peers = [psxName, ...go.map(({ name }) => name)];
    const bars = [library, again].map((of) => ({ of, times: 1, against: peers }));
    groups.push({
      id: `threads-${count}`,
      title: `Restrict a process of ${count.toLocaleString("en")} ${count === 1 ? "thread" : "threads"}`,
      unit: "µs",
      entries,
      bars: count === 10 || count === 100 ? bars : [],
      charted: count === 10 || count === 100,
    });
  }
  return groups;
}
