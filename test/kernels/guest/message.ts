/** What a guest tells the host, one line of JSON each. */

/** Once, before the first test. */
export interface Started {
  readonly kind: "started";
  readonly release: string;
  readonly abi: number;
  /** What `landlock-restrict status` prints there. */
  readonly status: string;
  /** How many `Finished` will follow. */
  readonly files: number;
}

/** After each test file, for each user. */
export interface Finished {
  readonly kind: "finished";
  readonly user: string;
  readonly file: string;
  /** The exit code, or the signal. */
  readonly status: number | string;
  readonly seconds: number;
  /** JUnit's XML; empty if Bun wrote none. */
  readonly junit: string;
  /** Cases that Bun counts as passed and that say otherwise: `allthreads.test.ts`. */
  readonly inapplicable: readonly string[];
  /** Lines that begin with `note: `: figures that a report wants, of tests that pass too. */
  readonly notes: readonly string[];
  /** The end of what it wrote, where something failed. */
  readonly output: string;
}

/** Once, after the last test. */
export interface Ended {
  readonly kind: "ended";
}

export type Message = Started | Finished | Ended;
