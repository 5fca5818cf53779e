/** What a run of the benchmarks found, as plain data. */
import { summarise, type Summary } from "./statistics.ts";

/** What an entry is: this library, what else does the same, the least it can take, or without. */
export type Role = "ours" | "peer" | "floor" | "base";

/** One thing that was measured. */
export interface Measured extends Summary {
  readonly name: string;
  readonly role: Role;
}

/** One thing that could not be. */
export interface Absent {
  readonly name: string;
  readonly role: Role;
  readonly absent: string;
}

export type Entry = Measured | Absent;

/** What is asked of an entry. */
export interface Bar {
  /** The entry's name. */
  readonly of: string;
  /** Its median may be so many times that of the others. */
  readonly times: number;
  /** Their names; those that are absent do not count. */
  readonly against: readonly string[];
}

/** Things that were measured in turn, and so can be compared. */
export interface Group {
  readonly id: string;
  readonly title: string;
  readonly unit: "ms" | "µs" | "ns" | "KiB" | "requests/s";
  /** The ratios are to the first entry. */
  readonly entries: readonly Entry[];
  readonly bars: readonly Bar[];
  /** What else there is to say, as how many requests failed. */
  readonly note?: string;
  /** Whether it is in the chart. */
  readonly charted?: boolean;
}

/** What decides the figures. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly linux: string;
  readonly landlockAbi: number;
  readonly distribution: string;
  readonly bun: string;
  /** Load average of the last minute, before the first measurement. */
  readonly load: number;
}

export interface Results {
  /** The day, as `2026-01-31`. */
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly groups: readonly Group[];
}

/** An entry of some samples. */
export function measured(name: string, role: Role, samples: readonly number[]): Measured {
  return { name, role, ...summarise(samples) };
}

/** Whether there is a figure. */
export function isMeasured(entry: Entry): entry is Measured {
  return "median" in entry;
}

/** How many times the first entry's median an entry's is; undefined where either is absent. */
export function ratioOf(group: Group, entry: Entry): number | undefined {
  const [first] = group.entries;
  if (first === undefined || !isMeasured(first) || !isMeasured(entry)) return undefined;
  return entry.median / first.median;
}

/** How an entry does against one other of its bar. */
export interface Verdict {
  readonly bar: Bar;
  readonly against: string;
  readonly ratio: number;
  readonly met: boolean;
}

/** All that a group's bars say, others that are absent aside. */
export function verdicts(group: Group): Verdict[] {
  const find = (name: string) => group.entries.filter(isMeasured).find((one) => one.name === name);
  return group.bars.flatMap((bar) => {
    const own = find(bar.of);
    return bar.against.flatMap((against) => {
      const other = find(against);
      if (own === undefined || other === undefined) return [];
      const ratio = own.median / other.median;
      return [{ bar, against, ratio, met: ratio <= bar.times }];
    });
  });
}
