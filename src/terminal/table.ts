/** Tables, fitted to the screen: whole where it is no terminal. */
import type { Screen } from "./screen.ts";
import { cutMiddle, paint, type Style } from "./text.ts";

/** A column of a table. */
export interface Column {
  readonly head: string;
  /** Numbers stand at the right. */
  readonly align?: "right";
  /** Whether the middle of its cells may be left out where the table is too wide. */
  readonly cut?: boolean;
  readonly style?: Style;
}

const gap = "  ";
/** A cell that is cut shorter than this says nothing. */
const columnsMin = 12;

/**
 * Lines of a table with a head. Where not even cut cells have room side by side, each row becomes
 * a block of lines.
 *
 * @param rows Cells, as many as there are columns
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
        const text = cutMiddle(cells[i]!, widths[i]!);
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

/** The widths of the columns, the widest ones cut first; undefined where there is no room. */
function fit(
  columns: readonly Column[],
  natural: readonly number[],
  room: number,
): number[] | undefined {
  const widths = [...natural];
  const total = () => widths.reduce((sum, width) => sum + width + gap.length, -gap.length);
  while (total() > room) {
    const able = widths.map((width, i) => (columns[i]!.cut && width > columnsMin ? width : 0));
    const widest = Math.max(...able);
    if (widest === 0) return undefined;
    widths[able.lastIndexOf(widest)]!--;
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
    ...columns.flatMap(({ head, style }, i) => {
      if (row[i] === "") return [];
      const text = cutMiddle(row[i]!, Math.max(screen.columns - indent, columnsMin));
      const space = " ".repeat(indent - Bun.stringWidth(head));
      return [paint("dim", head, screen) + space + (style ? paint(style, text, screen) : text)];
    }),
  ]);
}
