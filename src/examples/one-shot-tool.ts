#!/usr/bin/env bun
/**
 * A tool that people run with `bunx`: it prints facts about untrusted files.
 *
 *     bun src/examples/one-shot-tool.ts README.md package.json
 *
 * It restricts itself before it opens the first file, since parsers are native code that reads
 * untrusted input. Allowed: reading exactly the files that the user named. Denied: every other
 * file, writing, execution, every port, and signals.
 *
 * In your own package, name it as `bin` in package.json and import from "bun-landlock".
 */
import { extname } from "node:path";
import { landlock, LandlockError, pathAccess } from "bun-landlock";

type Facts = Record<string, number>;

/** The number of values in parsed data, and their depth. */
function countValues(data: unknown): Facts {
  if (typeof data !== "object" || data === null) return { values: 1, depth: 0 };
  const parts = Object.values(data).map(countValues);
  return {
    values: parts.reduce((sum, { values = 0 }) => sum + values, 0),
    depth: 1 + Math.max(0, ...parts.map(({ depth = 0 }) => depth)),
  };
}

function countMarkdown(text: string): Facts {
  const facts = { headings: 0, links: 0, images: 0 };
  new HTMLRewriter()
    .on("h1, h2, h3, h4, h5, h6", { element: () => void facts.headings++ })
    .on("a", { element: () => void facts.links++ })
    .on("img", { element: () => void facts.images++ })
    .transform(Bun.markdown.html(text));
  return facts;
}

const kinds: Record<string, (text: string) => Facts> = {
  ".json": (text) => countValues(JSON.parse(text)),
  ".toml": (text) => countValues(Bun.TOML.parse(text)),
  ".yaml": (text) => countValues(Bun.YAML.parse(text)),
  ".md": countMarkdown,
};

/** Facts about a text, depending on its file's extension. */
function factsOf(path: string, text: string): Facts {
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  return { lines, ...kinds[extname(path).toLowerCase()]?.(text) };
}

async function main(paths: readonly string[]): Promise<void> {
  if (paths.length === 0) throw new Error("Name the files: one-shot-tool FILE...");
  landlock.V11.bestEffort({ atLeast: 1 }).restrict(pathAccess(["read_file"], ...paths));
  for (const path of paths) {
    const facts = Object.entries(factsOf(path, await Bun.file(path).text()));
    console.log(`${path}: ${facts.map(([name, count]) => `${name} ${count}`).join(", ")}`);
  }
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    // A missing file causes a LandlockError, because no rule can be made for it.
    console.error(error instanceof LandlockError ? error.message : String(error));
    process.exitCode = 1;
  }
}
