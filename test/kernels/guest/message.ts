/** A guest's messages to the host, one line of JSON each. */

/** Sent once, before the first test. */
export interface Started {
  readonly kind: "started";
  readonly release: string;
  readonly abi: number;
  /** The output of `landlock-restrict status` in the guest. */
  readonly status: string;
  /** How many `Finished` messages will follow. */
  readonly files: number;
}

/** Sent after each test file, for each user. */
export interface Finished {
  readonly kind: "finished";
  readonly user: string;
  readonly file: string;
  /** The exit code, or the signal. */
  readonly status: number | string;
  readonly seconds: number;
  /** The JUnit XML; empty if Bun wrote none. */
  readonly junit: string;
  /** Cases that Bun counts as passed but that report otherwise: `allthreads.test.ts`. */
  readonly inapplicable: readonly string[];
  /** Lines that begin with `note: `: figures for the report, also of tests that pass. */
  readonly notes: readonly string[];
  /** The end of its output, if something failed. */
  readonly output: string;
}

/** Sent once, after the last test. */
export interface Ended {
  readonly kind: "ended";
}

export type Message = Started | Finished | Ended;
