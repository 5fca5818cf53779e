/** The results as Markdown: a chart, a short table, and all of it. */
import {
  isMeasured,
  ratioOf,
  verdicts,
  type Group,
  type Measured,
  type Results,
} from "../results.ts";
import { figure, times } from "./numbers.ts";

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function value(group: Group, entry: Measured): string {
  return `${figure(entry.median)} ${group.unit}`;
}

/** One line for each group: what it costs here, and elsewhere. */
function shortTable(groups: readonly Group[]): string[] {
  const rows = groups.flatMap((group) => {
    const entries = group.entries.filter(isMeasured);
    const [first] = entries;
    const ours = entries.filter(({ role }) => role === "ours").at(-1);
    if (first === undefined || ours === undefined) return [];
    const peers = entries
      .filter(({ role }) => role === "peer")
      .toSorted((a, b) => a.median - b.median)
      .map((peer) => `${peer.name} ${times(ratioOf(group, peer)!)}`);
    const own = `${ours.name}: ${value(group, ours)}, ${times(ratioOf(group, ours)!)}`;
    const base = `${first.name}: ${value(group, first)}`;
    return [row([group.title, base, own, peers.join(", ")])];
  });
  return [row(["", "compared with", "bun-landlock", "others"]), row(["-", "-", "-", "-"]), ...rows];
}

function fullTable(group: Group): string[] {
  const rows = group.entries.map((entry) => {
    if (!isMeasured(entry)) return row([entry.name, "absent", "", entry.absent]);
    const ratio = ratioOf(group, entry);
    const spread = `${figure(entry.low)} to ${figure(entry.high)}`;
    return row([entry.name, figure(entry.median), ratio === undefined ? "" : times(ratio), spread]);
  });
  return [
    `### ${group.title}`,
    "",
    row(["", group.unit, "ratio", "quartiles"]),
    row(["-", "-:", "-:", "-"]),
    ...rows,
    ...(group.note === undefined ? [] : ["", `${group.note}.`]),
    "",
  ];
}

function barsTable(groups: readonly Group[]): string[] {
  const rows = groups.flatMap((group) =>
    verdicts(group).map(({ bar, against, ratio, met }) =>
      row([
        `${group.title}: ${bar.of}`,
        against,
        times(bar.times),
        times(ratio),
        met ? "met" : "missed",
      ]),
    ),
  );
  return [
    row(["what", "against", "bar", "measured", ""]),
    row(["-", "-", "-:", "-:", "-"]),
    ...rows,
  ];
}

/** The text of a Markdown file that lies beside `chart.svg`. */
export function readme({ groups, machine, date }: Results): string {
  return [
    "# Benchmarks",
    "",
    "![What a sandbox costs](chart.svg)",
    "",
    `Medians of interleaved runs on ${machine.cpu}, ${machine.cores} cores, ${machine.distribution}, Linux ${machine.linux} (Landlock ABI ${machine.landlockAbi}), Bun ${machine.bun}, ${date}. Made with \`bun run bench\`.`,
    "",
    "## In short",
    "",
    ...shortTable(groups),
    "",
    "## Bars",
    "",
    ...barsTable(groups),
    "",
    "## All figures",
    "",
    ...groups.flatMap(fullTable),
  ].join("\n");
}
