/** The results of a benchmark run, as plain data. */
import { summarise, type Summary } from "./statistics.ts";

/** An entry's role: this library, an alternative, the minimal cost, or no sandbox. */
export type Role = "ours" | "peer" | "floor" | "base";

/** Something that was measured. */
export interface Measured extends Summary {
  readonly name: string;
  readonly role: Role;
}

/** Something that could not be measured. */
export interface Absent {
  readonly name: string;
  readonly role: Role;
  readonly absent: string;
}

export type Entry = Measured | Absent;

/** A requirement on an entry. */
export interface Bar {
  readonly of: string;
  /** The limit of its median, as a multiple of the others'. */
  readonly times: number;
  /** Their names; absent ones do not count. */
  readonly against: readonly string[];
}

/** Things measured in turn, and so comparable. */
export interface Group {
  readonly id: string;
  readonly title: string;
  readonly unit: "ms" | "µs" | "ns" | "KiB" | "requests/s";
  /** Ratios refer to the first entry. */
  readonly entries: readonly Entry[];
  readonly bars: readonly Bar[];
  /** Further remarks, such as how many requests failed. */
  readonly note?: string;
  /** Whether it is in the chart. */
  readonly charted?: boolean;
}

/** What influences the figures. */
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
  /** The date, as `2026-01-31`. */
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly groups: readonly Group[];
}

/** Makes an entry of some samples. */
export function measured(name: string, role: Role, samples: readonly number[]): Measured {
  return { name, role, ...summarise(samples) };
}

/** Whether there is a figure. */
export function isMeasured(entry: Entry): entry is Measured {
  return "median" in entry;
}

/** The ratio of an entry's median to the first one's; undefined if either is absent. */
export function ratioOf(group: Group, entry: Entry): number | undefined {
  const [first] = group.entries;
  if (first === undefined || !isMeasured(first) || !isMeasured(entry)) return undefined;
  return entry.median / first.median;
}

/** How an entry compares with one other of its bar. */
export interface Verdict {
  readonly bar: Bar;
  readonly against: string;
  readonly ratio: number;
  readonly met: boolean;
}

/** The results of a group's bars, without absent entries. */
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
