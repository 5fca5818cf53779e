/** Writing to standard output and error: lines, and one line that is written anew. */
import { cutMiddle } from "./text.ts";
import type { Screen } from "./screen.ts";

const EAGAIN_WAIT_MS = 1;

/**
 * Writes to standard error at once and as it is: `console.error()` of Bun makes everything red on
 * a terminal. Where nobody reads it any more, nothing is written.
 */
export function writeError(text: string): void {
  writeTo(2, text);
}

/**
 * Writes to standard output, all of it: `console.log()` of Bun says nothing of a full disk.
 *
 * @returns The name of the errno that it failed with, as `"EPIPE"`
 */
export function writeOutput(text: string): string | undefined {
  return writeTo(1, text);
}

function writeTo(fd: 1 | 2, text: string): string | undefined {
  const { writeSync } = require("node:fs") as typeof import("node:fs");
  for (let bytes = new TextEncoder().encode(text); bytes.length > 0;) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      const { code = "an error" } = error as { code?: string };
      if (code !== "EAGAIN") return code;
      Bun.sleepSync(EAGAIN_WAIT_MS);
    }
  }
  return undefined;
}

/** Back to the beginning of the line, and nothing left of it: CR, and EL 2 of ECMA-48. */
const eraseLine = "\r\x1b[2K";

/** Often enough to look alive, and seldom enough to cost nothing. */
const intervalMs = 100;

/** A line that says how far something is. */
interface ProgressLine {
  /** Shows a text in place of the one before; at most ten a second are shown. */
  show(text: string): void;
  /** Takes the line away. */
  clear(): void;
}

/**
 * A line on a terminal that is written anew in place; elsewhere it writes nothing.
 *
 * @param screen That of standard error
 * @param write Takes what is to be written; default: standard error
 * @param now A clock, in milliseconds
 */
export function progressLine(
  screen: Screen,
  write: (text: string) => void = writeError,
  now: () => number = performance.now.bind(performance),
): ProgressLine {
  let shown = "";
  let last = -Infinity;
  return {
    show(text) {
      // In the last column some terminals go on to the next line.
      const line = cutMiddle(text, screen.columns - 1);
      if (!screen.live || line === shown || now() - last < intervalMs) return;
      last = now();
      shown = line;
      write(eraseLine + line);
    },
    clear() {
      if (shown !== "") write(eraseLine);
      shown = "";
    },
  };
}
