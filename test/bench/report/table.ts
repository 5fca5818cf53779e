/** The results as text for a terminal. */
import {
  isMeasured,
  ratioOf,
  verdicts,
  type Group,
  type Results,
  type Verdict,
} from "../results.ts";
import { figure, times } from "./numbers.ts";

export function table({ groups, machine, date }: Results): string {
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.distribution}, Linux ${machine.linux}`,
    `Landlock ABI ${machine.landlockAbi}, Bun ${machine.bun}, load ${machine.load}, ${date}`,
    ...groups.map(groupTable),
  ].join("\n");
}

function groupTable(group: Group): string {
  const width = Math.max(...group.entries.map(({ name }) => name.length));
  const rows = group.entries.map((entry) => {
    const name = entry.name.padEnd(width);
    if (!isMeasured(entry)) return `  ${name}  absent: ${entry.absent}`;
    const ratio = ratioOf(group, entry);
    const columns = [
      figure(entry.median).padStart(9),
      (ratio === undefined ? "" : times(ratio)).padStart(9),
      `${figure(entry.low)} to ${figure(entry.high)}`,
    ];
    return `  ${name}  ${columns.join("  ")}`;
  });
  const samples = Math.max(
    ...group.entries.map((entry) => (isMeasured(entry) ? entry.samples : 0)),
  );
  return [
    `\n${group.title}: ${group.unit}, median of ${samples}, ratio to the first, quartiles`,
    ...rows,
    ...verdicts(group).map((verdict) => `  ${sentence(verdict)}`),
    ...(group.note === undefined ? [] : [`  ${group.note}`]),
  ].join("\n");
}

/** The result of a bar, in words. */
export function sentence({ bar, against, ratio, met }: Verdict): string {
  const outcome = met ? "met" : "missed";
  return `bar ${outcome}: ${bar.of} is ${times(ratio)} ${against}, at most ${times(bar.times)}`;
}
