/** Processes as candidates. */
import type { Candidate, Label } from "./interleave.ts";

interface Options {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

function run(words: readonly string[], options: Options) {
  const done = Bun.spawnSync([...words], { ...options, stdin: "ignore", stderr: "pipe" });
  if (done.success) return done;
  const error = done.stderr.toString() || done.stdout.toString();
  throw new Error(`${words.join(" ").slice(0, 300)} ended with ${done.exitCode}\n${error}`);
}

/** The time from a process's start to its end, in milliseconds. */
export function lifetime(label: Label, words: readonly string[], options: Options = {}): Candidate {
  return {
    labels: [label],
    sample() {
      const start = Bun.nanoseconds();
      run(words, options);
      return [(Bun.nanoseconds() - start) / 1e6];
    },
  };
}

/** Figures that a process prints about itself: a JSON array with one for each label. */
export function testimony(
  labels: readonly Label[],
  words: readonly string[],
  options: Options = {},
): Candidate {
  return {
    labels,
    sample() {
      const text = run(words, options).stdout.toString();
      const figures: unknown = JSON.parse(text);
      if (Array.isArray(figures) && figures.every((value) => typeof value === "number")) {
        return figures;
      }
      throw new Error(`${labels[0]!.name} printed ${text}`);
    },
  };
}
