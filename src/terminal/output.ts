/** Writes lines and a progress line to standard output and error. */
import { cutMiddle } from "./text.ts";
import type { Screen } from "./screen.ts";

const EAGAIN_WAIT_MS = 1;

/**
 * Writes to standard error immediately and unchanged: Bun's `console.error()` colours everything
 * red on a terminal. Write errors are ignored.
 */
export function writeError(text: string): void {
  writeTo(2, text);
}

/**
 * Writes all text to standard output. Bun's `console.log()` doesn't report a full disk.
 *
 * @returns The errno's name if it failed, such as `"EPIPE"`
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

/** Returns to the start of the line and erases it: CR, and EL 2 of ECMA-48. */
const eraseLine = "\r\x1b[2K";

/** Fast enough to look alive, and slow enough to be cheap. */
const intervalMs = 100;

/** A line that shows progress. */
interface ProgressLine {
  /** Replaces the shown text, at most ten times a second. */
  show(text: string): void;
  /** Removes the line. */
  clear(): void;
}

/**
 * A line on a terminal that is replaced in place. On other outputs it writes nothing.
 *
 * @param screen The screen of standard error
 * @param write Writes text; default: to standard error
 * @param now A clock in milliseconds
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
      // Some terminals wrap after the last column, so it stays empty.
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
