/** Interleaved timing: every candidate in turn, so that a drifting machine hits all of them. */

export interface Candidate {
  readonly name: string;
  run(): void;
}

/** Prints each candidate's median in milliseconds, and its ratio to the first one's. */
export function compare(title: string, rounds: number, candidates: readonly Candidate[]): void {
  const warmups = 3;
  const times = candidates.map((): number[] => []);
  for (let round = -warmups; round < rounds; round++) {
    for (const [i, candidate] of candidates.entries()) {
      const start = Bun.nanoseconds();
      candidate.run();
      if (round >= 0) times[i]!.push((Bun.nanoseconds() - start) / 1e6);
    }
  }
  const medians = times.map((all) => all.sort((a, b) => a - b)[rounds >> 1]!);
  console.log(`\n${title}: median of ${rounds}, interleaved`);
  for (const [i, { name }] of candidates.entries()) {
    const all = times[i]!;
    const [low, high] = [all[rounds >> 2]!, all[(rounds * 3) >> 2]!];
    console.log(
      `  ${medians[i]!.toFixed(3).padStart(9)} ms  ${(medians[i]! / medians[0]!).toFixed(3)} ×  ` +
        `(quartiles ${low.toFixed(3)} to ${high.toFixed(3)})  ${name}`,
    );
  }
}

/** A candidate that is a whole process. */
export function command(name: string, words: readonly string[], cwd?: string): Candidate {
  const options = { stdout: "ignore", stderr: "ignore", ...(cwd ? { cwd } : {}) } as const;
  return {
    name,
    run() {
      if (!Bun.spawnSync([...words], options).success) throw new Error(`${name} failed`);
    },
  };
}
