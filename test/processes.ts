/** Lists processes and tells those of one run apart. */
import { readdirSync, readFileSync } from "node:fs";

export function processIds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

let runs = 0;

/** Seconds to sleep, unique to a run: they mark its processes by their command line. */
export function marked(): string {
  return `600.${process.pid}${runs++}1`;
}

/** The processes whose command line has the mark, and those command lines. */
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
