/** A process's resources: memory, open files, ended children that were not collected. */
import { readdirSync, readFileSync } from "node:fs";

export interface Figures {
  /** `VmRSS` of proc_pid_status(5), in KiB. */
  readonly rssKiB: number;
  /** `VmSize`: address space, in KiB. */
  readonly sizeKiB: number;
  readonly fds: number;
  /** Children in state Z. */
  readonly zombies: number;
  readonly threads: number;
}

function field(status: string, name: string): string {
  return status.match(new RegExp(`^${name}:\\s*(\\S+)`, "m"))?.[1] ?? "";
}

function statusOf(pid: number | string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}

/** This process's figures after a garbage collection. */
export function figures(): Figures {
  Bun.gc(true);
  const own = statusOf("self");
  const zombies = readdirSync("/proc").filter((name) => {
    const status = /^\d+$/.test(name) ? statusOf(name) : "";
    return field(status, "PPid") === `${process.pid}` && field(status, "State") === "Z";
  });
  return {
    rssKiB: Number(field(own, "VmRSS")),
    sizeKiB: Number(field(own, "VmSize")),
    fds: readdirSync("/proc/self/fd").length,
    zombies: zombies.length,
    threads: Number(field(own, "Threads")),
  };
}

const columns = ["rssKiB", "sizeKiB", "fds", "zombies", "threads"] as const;

/** Prints a table line by line, and reports at the end whether the figures are flat. */
export class Table {
  readonly #lines: Figures[] = [];
  readonly #started = performance.now();

  /** @param unit What is counted, such as `"children"` */
  constructor(unit: string) {
    console.log(`| ${[unit, "seconds", ...columns].join(" | ")} |`);
    console.log(`|${" --- |".repeat(columns.length + 2)}`);
  }

  add(count: number, line: Figures): void {
    this.#lines.push(line);
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    console.log(`| ${[count, seconds, ...columns.map((name) => line[name])].join(" | ")} |`);
  }

  /**
   * Describes what is not flat; empty if nothing. The first line is from a process that has not
   * warmed up, so the last line is compared with the second.
   *
   * @param growthKiB How much the resident memory may grow from the second line to the last
   */
  growth(growthKiB: number): string {
    const warm = this.#lines[1];
    const last = this.#lines.at(-1);
    if (warm === undefined || last === undefined) return "there are no two lines";
    const grown = [
      last.fds > warm.fds ? `${last.fds - warm.fds} open files` : "",
      last.zombies > 0 ? `${last.zombies} zombies` : "",
      last.rssKiB - warm.rssKiB > growthKiB ? `${last.rssKiB - warm.rssKiB} KiB of memory` : "",
    ];
    return grown.filter((one) => one !== "").join(", ");
  }
}

/** Ends a soak with its result, also as exit code. */
export function finish(table: Table, growthKiB: number): void {
  const growth = table.growth(growthKiB);
  console.log(growth === "" ? "flat" : `not flat: ${growth}`);
  process.exitCode = growth === "" ? 0 : 1;
}
