/** Formats text for a screen: colours, widths, truncation and quoting. */
import { printable } from "../errors/errors.ts";
import { bytesOf } from "../kernel/names.ts";
import type { Screen } from "./screen.ts";

/**
 * Parameters of SGR, "select graphic rendition" of ECMA-48: one turns each style on, the other off.
 */
const styles = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** A style of text. */
export type Style = keyof typeof styles;

/** The text in a style, if the screen has colours. */
export function paint(style: Style, text: string, { colours }: Pick<Screen, "colours">): string {
  if (!colours || text === "") return text;
  const [on, off] = styles[style];
  return `\x1b[${on}m${text}\x1b[${off}m`;
}

/** Shortens text to a number of columns, with an ellipsis in its middle. */
export function cutMiddle(text: string, columns: number): string {
  if (Bun.stringWidth(text) <= columns) return text;
  // The end of a path says more than its start, so it gets more room.
  const head = Math.floor((columns - 1) / 3);
  const tail = columns - 1 - head;
  if (tail <= 0) return "…".slice(0, columns);
  return `${within(head, (room) => Bun.sliceAnsi(text, 0, room))}…${within(tail, (room) => Bun.sliceAnsi(text, -room))}`;
}

/** Shortens text to a number of columns, with an ellipsis at its end. */
export function cutEnd(text: string, columns: number): string {
  if (Bun.stringWidth(text) <= columns) return text;
  return columns <= 0 ? "" : `${within(columns - 1, (room) => Bun.sliceAnsi(text, 0, room))}…`;
}

/** Shortens text to a number of columns, with an ellipsis at its start. */
export function cutStart(text: string, columns: number): string {
  if (Bun.stringWidth(text) <= columns) return text;
  return columns <= 0 ? "" : `…${within(columns - 1, (room) => Bun.sliceAnsi(text, -room))}`;
}

/** Cuts again if a character two columns wide didn't fit. */
function within(room: number, cut: (room: number) => string): string {
  if (room === 0) return "";
  const text = cut(room);
  return Bun.stringWidth(text) > room ? within(room - 1, cut) : text;
}

/** Narrower values are hard to read, so the terminal wraps them itself. */
const wrapMin = 20;

/**
 * Lines with a label and a value, which is wrapped and indented after the label.
 *
 * @param rows Labels and values
 * @param gap Columns from the start of a line to its value
 */
export function labelled(
  rows: readonly (readonly [label: string, value: string])[],
  gap: number,
  screen: Screen,
): string[] {
  const room = screen.columns - gap;
  return rows.map(([label, value]) => {
    const wraps = room >= wrapMin && room < Infinity;
    const text = wraps ? Bun.wrapAnsi(value, room).replaceAll("\n", `\n${" ".repeat(gap)}`) : value;
    return paint("dim", label, screen) + " ".repeat(Math.max(gap - label.length, 0)) + text;
  });
}

const plain = /^[\w@%+=:,./-]+$/;

/** The words as one line to paste into a shell, quoted where necessary. */
export function pasteable(words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}

function shellWord(word: string): string {
  if (plain.test(word)) return word;
  // Writes bytes that a terminal must not receive as escapes.
  if (printable(word) !== word) {
    const bytes = bytesOf(word);
    const text = [...bytes].map((byte) =>
      byte < 0x20 || byte > 0x7e || byte === 0x27 || byte === 0x5c
        ? `\\x${byte.toString(16).padStart(2, "0")}`
        : String.fromCharCode(byte),
    );
    return `$'${text.join("")}'`;
  }
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
