/** Which processes there are, and how to tell those of one run. */
import { readdirSync, readFileSync } from "node:fs";

/** Every process id. */
export function processIds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

let runs = 0;

/** Seconds to sleep, which stand in the command line of every process of one run, and no other. */
export function marked(): string {
  return `600.${process.pid}${runs++}1`;
}

/** The processes with a mark in their command line, and what that is. */
export function processesOf(mark: string): string[] {
  return processIds().flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      return words.includes(mark) ? [words] : [];
    } catch {
      return [];
    }
  });
}
