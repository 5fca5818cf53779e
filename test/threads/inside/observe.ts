/** Runs named operations on a folder or port and returns their outcomes. */
import { outcomeOf, type Outcome } from "../../inside.ts";

export type Probes<Place = string> = Readonly<Record<string, (place: Place) => unknown>>;
export type Outcomes = Readonly<Record<string, Outcome>>;

/** In turn, so that no outcome depends on another operation's timing. */
export async function outcomesOf<Place>(probes: Probes<Place>, place: Place): Promise<Outcomes> {
  const outcomes: Record<string, Outcome> = {};
  for (const [name, probe] of Object.entries(probes)) {
    outcomes[name] = await outcomeOf(async () => probe(place));
  }
  return outcomes;
}

let names = 0;

/** A new path in the folder. */
export function fresh(dir: string): string {
  return `${dir}/fresh-${++names}`;
}

const taken = new Map<string, number>();

/** A new file or folder that an operation may remove. */
export function spare(dir: string, kind: "file" | "folder"): string {
  const key = `${dir}/spare-${kind}`;
  const number = (taken.get(key) ?? 0) + 1;
  taken.set(key, number);
  return `${key}-${number}`;
}

/** Throws unless it holds: an operation without a result has not worked. */
export function must(holds: boolean, complaint: string): void {
  if (!holds) throw Object.assign(new Error(complaint), { code: complaint });
}
