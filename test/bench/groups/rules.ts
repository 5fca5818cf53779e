/** Many path rules in one process, from paths to the kernel. */
import { interleave } from "../interleave.ts";
import { cProgram, goProgram } from "../peers/programs.ts";
import { testimony } from "../processes.ts";
import type { Absent, Group } from "../results.ts";
import { manyFiles, type Workshop } from "../workshop.ts";

const counts = [1, 10, 100, 1_000, 10_000];
const floor = "C loop";
const ours = "ruleset()";
const enforced = "restrictPaths()";

export async function rules(workshop: Workshop): Promise<Group[]> {
  const { folder } = workshop;
  const debian = await workshop.debian();
  const most = workshop.quick ? 100 : Math.max(...counts);
  const files = await manyFiles(workshop, most);
  const c = cProgram("rules", ["rules.c"]);
  const script = await workshop.inside("rules.ts");
  const go = (["static", "cgo"] as const).map((linking) => {
    const name = `go-landlock ${linking}, enforced`;
    return { name, role: "peer" as const, program: goProgram(debian, "rules", linking) };
  });
  const groups: Group[] = [];
  for (const count of counts.filter((count) => count <= most)) {
    const where = [files, `${count}`];
    const entries = await interleave(
      [
        testimony(
          [
            { name: floor, role: "floor" },
            { name: `${floor}, enforced`, role: "floor" },
          ],
          [c, ...where],
        ),
        testimony(
          [
            { name: ours, role: "ours" },
            { name: enforced, role: "ours" },
          ],
          [process.execPath, script, ...where],
          { cwd: folder },
        ),
        ...go.map(({ name, role, program }) => {
          const absent: Absent = { name, role, absent: "Debian's Go toolchain cannot be had here" };
          return program === undefined ? absent : testimony([{ name, role }], [program, ...where]);
        }),
      ],
      workshop.rounds(count >= 10_000 ? 15 : 40),
    );
    const bars = [
      { of: ours, times: 1.5, against: [floor] },
      { of: enforced, times: 1, against: go.map(({ name }) => name) },
    ];
    groups.push({
      id: `rules-${count}`,
      title: `${count.toLocaleString("en")} path ${count === 1 ? "rule" : "rules"}, first in the process`,
      unit: "µs",
      entries,
      bars: count === 1_000 ? bars : [],
      charted: count === 1_000,
    });
  }
  return groups;
}
