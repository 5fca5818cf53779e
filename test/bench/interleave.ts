/** Measures every candidate once in each round, so that machine drift affects all of them. */
import { measured, type Absent, type Entry, type Role } from "./results.ts";

/** The name of one of a candidate's figures. */
export interface Label {
  readonly name: string;
  readonly role: Role;
}

/** Something repeatable to measure. */
export interface Candidate {
  /** One label for each figure of a sample. */
  readonly labels: readonly Label[];
  sample(): readonly number[] | Promise<readonly number[]>;
}

/**
 * Samples all candidates.
 *
 * @param warmups Rounds that do not count
 */
export async function interleave(
  candidates: readonly (Candidate | Absent)[],
  rounds: number,
  warmups = 2,
): Promise<Entry[]> {
  const series = candidates.map((one) =>
    "absent" in one ? [] : one.labels.map((): number[] => []),
  );
  for (let round = -warmups; round < rounds; round++) {
    for (const [i, candidate] of candidates.entries()) {
      if ("absent" in candidate) continue;
      const figures = await candidate.sample();
      if (figures.length !== candidate.labels.length) {
        throw new Error(`${candidate.labels[0]!.name} gave ${figures.length} figures`);
      }
      if (round < 0) continue;
      for (const [j, value] of figures.entries()) series[i]![j]!.push(value);
    }
  }
  return candidates.flatMap((candidate, i): Entry[] => {
    if ("absent" in candidate) return [candidate];
    return candidate.labels.map(({ name, role }, j) => measured(name, role, series[i]![j]!));
  });
}
