/** Runs named operations in one place, a folder or a port, and says how each went. */
import { outcomeOf, type Outcome } from "../../inside.ts";

export type Probes<Place = string> = Readonly<Record<string, (place: Place) => unknown>>;
export type Outcomes = Readonly<Record<string, Outcome>>;

/** One after another, so that no outcome depends on another's timing. */
export async function outcomesOf<Place>(probes: Probes<Place>, place: Place): Promise<Outcomes> {
  const outcomes: Record<string, Outcome> = {};
  for (const [name, probe] of Object.entries(probes)) {
    outcomes[name] = await outcomeOf(async () => probe(place));
  }
  return outcomes;
}

let names = 0;

/** A path in the folder that nothing has yet. */
export function fresh(dir: string): string {
  return `${dir}/fresh-${++names}`;
}

const taken = new Map<string, number>();

/** A file or a folder that is there to be removed, another one each time. */
export function spare(dir: string, kind: "file" | "folder"): string {
  const key = `${dir}/spare-${kind}`;
  const number = (taken.get(key) ?? 0) + 1;
  taken.set(key, number);
  return `${key}-${number}`;
}

/** Fails unless it holds: an operation that yields nothing has not worked. */
export function must(holds: boolean, complaint: string): void {
  if (!holds) throw Object.assign(new Error(complaint), { code: complaint });
}
