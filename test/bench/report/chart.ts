/** Draws the results as bars, with each one's ratio to the first of its group. */
import { isMeasured, ratioOf, type Group, type Measured, type Results } from "../results.ts";
import { figure, times } from "./numbers.ts";

/** All sizes are in pixels. */
const width = 860;
const margin = 24;
const labelWidth = 270;
const valueWidth = 150;
const barHeight = 16;
const rowHeight = 24;
const titleHeight = 40;
const headHeight = 78;

const barLeft = margin + labelWidth;
const barSpace = width - margin - valueWidth - barLeft;

const style = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
  .head { font-size: 20px; font-weight: 600; }
  .title { font-size: 14px; font-weight: 600; }
  .soft { fill: #59636e; }
  .page { fill: #ffffff; stroke: #d1d9e0; }
  .track { stroke: #d1d9e0; }
  .ours { fill: #d9480f; } .peer { fill: #7c8ea3; } .floor { fill: #b9c4d0; } .base { fill: #b9c4d0; }
  .mine { font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .soft { fill: #9198a1; }
    .page { fill: #0d1117; stroke: #3d444d; }
    .track { stroke: #3d444d; }
    .ours { fill: #ff8c42; } .peer { fill: #6b7d92; } .floor { fill: #444f5c; } .base { fill: #444f5c; }
  }`;

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** From shortest to longest; the chart leaves out entries that would dwarf all others. */
function readable(group: Group): Measured[] {
  const entries = group.entries.filter(isMeasured);
  const ours = entries.filter(({ role }) => role === "ours").map(({ median }) => median);
  return entries
    .filter(({ median }) => median <= 2 * Math.max(...ours))
    .toSorted((a, b) => a.median - b.median);
}

/** The meaning of the colours, from right to left. */
const legend = [
  ["floor", "without it, or the floor", 150],
  ["peer", "others", 54],
  ["ours", "bun-landlock", 92],
] as const;

function legendText(): string {
  let right = width - margin;
  return legend
    .map(([role, text, space]) => {
      right -= space + 28;
      return `  <rect class="${role}" x="${right}" y="26" width="12" height="12" rx="2"/>
  <text class="soft" x="${right + 18}" y="37">${text}</text>`;
    })
    .join("\n");
}

/** The charted groups, one below the other, as SVG. */
export function chart({ groups, machine }: Results): string {
  const panels: string[] = [];
  let top = headHeight;
  for (const group of groups.filter(({ charted }) => charted)) {
    const entries = readable(group);
    panels.push(panel(group, entries, top));
    top += titleHeight + entries.length * rowHeight + 14;
  }
  const where = `${machine.cpu}, ${machine.cores} cores, Linux ${machine.linux}, Bun ${machine.bun}; medians, less is better`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top + 6}" width="${width}" height="${top + 6}" role="img" aria-label="Benchmarks of bun-landlock">
  <style>${style}
  </style>
  <rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${top + 5}" rx="8"/>
  <text class="head" x="${margin}" y="38">What a sandbox costs</text>
  <text class="soft" x="${margin}" y="60">${escape(where)}</text>
${legendText()}
${panels.join("\n")}
</svg>
`;
}

function panel(group: Group, entries: readonly Measured[], top: number): string {
  const longest = Math.max(...entries.map(({ median }) => median));
  const first = top + titleHeight;
  const bottom = first + entries.length * rowHeight;
  return [
    `  <text class="title" x="${margin}" y="${top + 24}">${escape(group.title)}</text>`,
    `  <line class="track" x1="${barLeft}" y1="${first - 4}" x2="${barLeft}" y2="${bottom - 4}"/>`,
    ...entries.map((entry, i) => {
      const length = Math.max((entry.median / longest) * barSpace, 1).toFixed(1);
      const y = first + i * rowHeight;
      const mine = entry.role === "ours" ? ' class="mine"' : "";
      const ratio = entry === group.entries[0] ? "" : ` · ${times(ratioOf(group, entry)!)}`;
      const value = `${figure(entry.median)} ${group.unit}${ratio}`;
      const end = (barLeft + Number(length) + 8).toFixed(1);
      return [
        `  <text x="${barLeft - 10}" y="${y + 12}" text-anchor="end"${mine}>${escape(entry.name)}</text>`,
        `  <rect class="${entry.role}" x="${barLeft}" y="${y - 1}" width="${length}" height="${barHeight}" rx="2"/>`,
        `  <text x="${end}" y="${y + 12}"${mine}>${escape(value)}</text>`,
      ].join("\n");
    }),
  ].join("\n");
}
