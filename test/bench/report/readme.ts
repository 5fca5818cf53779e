/** The results as Markdown: a chart, a short list, and all figures. */
import {
  isMeasured,
  ratioOf,
  verdicts,
  type Group,
  type Measured,
  type Results,
  type Role,
} from "../results.ts";
import { figure, times } from "./numbers.ts";

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function figures(group: Group, entries: readonly Measured[]): string {
  return entries
    .map((entry) => {
      const ratio =
        entry === group.entries[0]
          ? ""
          : ` (${times(ratioOf(group, entry)!).replace(" ", "\u00a0")})`;
      return `${entry.name}: ${figure(entry.median)} ${group.unit}${ratio}`;
    })
    .join("; ");
}

/** Wraps a line at 100 columns. */
function wrapped(line: string, indent: string): string {
  const lines = [""];
  for (const word of line.split(" ")) {
    const longer = lines.at(-1) === "" ? word : `${lines.at(-1)} ${word}`;
    if (longer.length <= 100 - indent.length) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join(`\n${indent}`);
}

/** One item for each group with a chart or a bar: its cost here and elsewhere. */
function shortList(groups: readonly Group[]): string[] {
  const chosen = groups.filter(({ charted, bars, note }) => charted || bars.length > 0 || note);
  return chosen.flatMap((group) => {
    const of = (...roles: readonly Role[]) =>
      group.entries.filter(isMeasured).filter(({ role }) => roles.includes(role));
    const peers = of("peer").toSorted((a, b) => a.median - b.median);
    const title = group.note === undefined ? group.title : `${group.title}: ${group.note}`;
    const parts = {
      "without, or in C": of("base", "floor"),
      "bun-landlock": of("ours"),
      others: peers,
    };
    const items = Object.entries(parts).filter(([, entries]) => entries.length > 0);
    return [
      `- ${wrapped(title, "  ")}`,
      ...items.map(
        ([name, entries]) => `  - ${wrapped(`_${name}_ ${figures(group, entries)}`, "    ")}`,
      ),
    ];
  });
}

function machineLine({ machine, date }: Results): string {
  return `Medians of interleaved runs on ${machine.cpu}, ${machine.cores} cores, ${machine.distribution}, Linux ${machine.linux} (Landlock ABI ${machine.landlockAbi}), Bun ${machine.bun}, ${date}; each ratio is to the first figure of its line. Made with \`bun run bench\`.`;
}

const sectionBegins = "<!-- bun run bench writes from here -->";
const sectionEnds = "<!-- to here -->";

/**
 * Puts the short list between its two marks.
 *
 * @param text The text of a Markdown file
 * @param folder The sources' folder with the chart and all figures, which the package lacks
 * @returns The new text; unchanged if the marks are missing
 */
export function withSection(text: string, results: Results, folder: string): string {
  const [before, rest] = text.split(sectionBegins);
  const after = rest?.split(sectionEnds)[1];
  if (before === undefined || after === undefined) return text;
  const section = [
    wrapped(machineLine(results), ""),
    shortList(results.groups).join("\n"),
    `All figures, and a chart: \`${folder}\` in the sources.`,
  ].join("\n\n");
  return `${before}${sectionBegins}\n\n${section}\n\n${sectionEnds}${after}`;
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

/** The text of the Markdown file next to `chart.svg`. */
export function readme(results: Results): string {
  return [
    "# Benchmarks",
    "",
    "![What a sandbox costs](chart.svg)",
    "",
    machineLine(results),
    "",
    "## Bars",
    "",
    ...barsTable(results.groups),
    "",
    "## All figures",
    "",
    ...results.groups.flatMap(fullTable),
  ].join("\n");
}
