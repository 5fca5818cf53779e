/** Tables that fit the screen. Without a terminal they have their full width. */
import type { Screen } from "./screen.ts";
import { paint, type Style } from "./text.ts";

/** A column of a table. */
export interface Column {
  readonly head: string;
  /** Numbers are aligned right. */
  readonly align?: "right";
  /** How to shorten cells if the table is too wide; default: never. */
  readonly cut?: (text: string, columns: number) => string;
  /** Cells shorter than this would be useless; default 12 columns. */
  readonly least?: number;
  readonly style?: Style;
}

const gap = "  ";
const leastDefault = 12;

/**
 * Formats a table with a header. If even shortened cells don't fit in a line, each row becomes a
 * block of lines.
 *
 * @param rows Cells, one per column
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  screen: Screen,
): string[] {
  const heads = columns.map(({ head }) => head);
  const natural = columns.map((_, i) =>
    Math.max(...[heads, ...rows].map((row) => Bun.stringWidth(row[i]!))),
  );
  const widths = fit(columns, natural, screen.columns);
  if (widths === undefined) return blocks(columns, rows, screen);
  const line = (cells: readonly string[], style?: Style) =>
    columns
      .map((column, i) => {
        const text = cutCell(column, cells[i]!, widths[i]!);
        const last = i === columns.length - 1;
        const space = " ".repeat(widths[i]! - Bun.stringWidth(text));
        const shown = style ?? column.style;
        const painted = shown ? paint(shown, text, screen) : text;
        if (column.align === "right") return space + painted;
        return last ? painted : painted + space;
      })
      .join(gap)
      .trimEnd();
  return [line(heads, "bold"), ...rows.map((row) => line(row))];
}

function cutCell({ cut }: Column, text: string, width: number): string {
  return cut && Bun.stringWidth(text) > width ? cut(text, width) : text;
}

/** The widths of the columns, shortening the widest first. Undefined if they don't fit. */
function fit(
  columns: readonly Column[],
  natural: readonly number[],
  room: number,
): number[] | undefined {
  const widths = [...natural];
  const total = () => widths.reduce((sum, width) => sum + width + gap.length, -gap.length);
  while (total() > room) {
    const spare = columns.map(({ cut, least = leastDefault }, i) => (cut ? widths[i]! - least : 0));
    const most = Math.max(...spare);
    if (most <= 0) return undefined;
    widths[spare.lastIndexOf(most)]!--;
  }
  return widths;
}

function blocks(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  screen: Screen,
): string[] {
  const indent = Math.max(...columns.map(({ head }) => Bun.stringWidth(head))) + gap.length;
  return rows.flatMap((row, at) => [
    ...(at > 0 ? [""] : []),
    ...columns.flatMap((column, i) => {
      const { head, style } = column;
      if (row[i] === "") return [];
      const text = cutCell(column, row[i]!, Math.max(screen.columns - indent, leastDefault));
      const space = " ".repeat(indent - Bun.stringWidth(head));
      return [paint("dim", head, screen) + space + (style ? paint(style, text, screen) : text)];
    }),
  ]);
}
