/** Plausible mistakes in lines that decide something, and the tests that must notice them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Mutation {
  /** A path below `src`. */
  readonly file: string;
  /** The original text, which occurs once in the file. */
  readonly text: string;
  readonly instead: string;
  /** Test files below `test`. */
  readonly tests: readonly string[];
}

/** The blocks of `list.diff`: file and tests, original text, replacement. */
export const mutations = readFileSync(join(import.meta.dir, "list.diff"), "utf8")
  .split("\n\n")
  .map((block): Mutation => {
    const lines = block.split("\n").filter((line) => !line.startsWith("#"));
    const [file, tests] = lines[0]!.split(": ") as [string, string];
    const after = (sign: string) =>
      lines.flatMap((line) => (line.startsWith(sign) ? [line.slice(1)] : [])).join("\n");
    return { file, text: after("-"), instead: after("+"), tests: tests.split(" ") };
  });
