/** Mistakes that somebody could make in a line that decides, and the tests that must notice. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One mistake. */
export interface Mutation {
  /** Beneath `src`. */
  readonly file: string;
  /** What stands there, once in the whole file. */
  readonly text: string;
  readonly instead: string;
  /** Test files, beneath `test`. */
  readonly tests: readonly string[];
}

/** The blocks of `list.diff`: the file and its tests, what stands there, and what is put instead. */
export const mutations = readFileSync(join(import.meta.dir, "list.diff"), "utf8")
  .split("\n\n")
  .map((block): Mutation => {
    const lines = block.split("\n").filter((line) => !line.startsWith("#"));
    const [file, tests] = lines[0]!.split(": ") as [string, string];
    const after = (sign: string) =>
      lines.flatMap((line) => (line.startsWith(sign) ? [line.slice(1)] : [])).join("\n");
    return { file, text: after("-"), instead: after("+"), tests: tests.split(" ") };
  });
