/** The project's pages and their code blocks. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..", "..");

export interface Block {
  readonly page: string;
  /** The number of its first line of code, from 1. */
  readonly line: number;
  /** The text after the fence; empty for a drawing. */
  readonly language: string;
  readonly code: string;
}

/** A command in a `console` block, and its output. */
export interface Command {
  readonly command: string;
  /** Empty if the page shows none. */
  readonly output: string;
}

/** Every page, by its path in the project. */
export const pages: readonly string[] = [
  ...["README.md", "src/*/README.md", "lib/README.md", "test/**/*.md", ".github/*.md"].flatMap(
    (pattern) => [...new Bun.Glob(pattern).scanSync({ cwd: root, dot: true })].sort(),
  ),
];

export function textOf(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** The code blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const text = textOf(page);
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(({ index, 1: language, 2: code }) => ({
    page,
    line: text.slice(0, index).split("\n").length + 1,
    language: language!,
    code: code!,
  }));
}

/** The file that a block's first line names, such as `// main.ts` or `# landlock.toml`. */
export function fileOf({ code }: Block): string | undefined {
  return /^(?:\/\/|#) ([\w.-]+\.\w+)\n/.exec(code)?.[1];
}

/** The commands of an `sh` block without trailing comments. Joins continued lines. */
export function commandsOf({ code }: Block): string[] {
  return code
    .replaceAll(/ *\\\n */g, " ")
    .split("\n")
    .map((line) => line.replace(/ +#.*/, ""))
    .filter((line) => line !== "");
}

/** The commands of a `console` block with their outputs. */
export function sessionOf({ code }: Block): Command[] {
  return code
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [, command = "", output = ""] = /^((?:.*\\\n)*.*)\n?([^]*)$/.exec(part)!;
      return { command, output: output.trimEnd() };
    });
}
