/** Bundles parts of the package as text that is evaluated on first use. */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { bundle, src } from "./bundle.ts";

/**
 * Files that the bundle holds as text and evaluates when one of their functions is called.
 * Evaluating them at start-up would slow every script, and the sandbox may block a separate file
 * later. They export only functions and types. Each lists the folders of `src` that are bundled
 * into its text.
 */
const lazy: Readonly<Record<string, readonly string[]>> = {
  "validate/schemas.ts": ["validate/schemas"],
  "presets/lazy.ts": ["presets"],
  "policy/read.ts": ["policy"],
  "explain/explain.ts": ["explain", "model", "advise"],
  "cli/watching.ts": ["explain", "explain/run", "model", "trace", "learn", "advise", "terminal"],
};

/**
 * Lazy files whose text is a separate file next to the bundle. It is long, few commands need it,
 * and those aren't restricted themselves.
 */
const apart: Readonly<Record<string, string>> = { "cli/watching.ts": "watching.cjs" };

function foldersOf(entry: string): string[] {
  return lazy[entry]!.map((folder) => join(src, folder));
}

function isIn(folders: readonly string[], file: string): boolean {
  return folders.some((folder) => file.startsWith(`${folder}/`));
}

/**
 * Excludes what a lazy file imports from elsewhere in `src`. The bundle already has it, and there
 * must be only one `LandlockError` and one `FsRule`.
 */
function sharing(entry: string): Bun.BunPlugin {
  const folders = foldersOf(entry);
  return {
    name: "sharing",
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\// }, ({ path, importer }) => {
        const file = join(dirname(importer), path);
        if (!importer.startsWith(src) || isIn(folders, file)) return undefined;
        return { path: relative(src, file), external: true };
      });
    },
  };
}

/**
 * The names that a lazy file and its folders import from elsewhere in `src`, by file and without
 * types.
 */
function sharedNames(entry: string): Map<string, Set<string>> {
  const folders = foldersOf(entry);
  const beside = folders.flatMap((folder) =>
    [...new Bun.Glob("*.ts").scanSync(folder)].map((name) => join(folder, name)),
  );
  const shared = new Map<string, Set<string>>();
  for (const file of new Set([join(src, entry), ...beside])) {
    const text = readFileSync(file, "utf8");
    for (const [, list, path] of text.matchAll(/^import \{([^}]+)\} from "(\.[^"]+)"/gm)) {
      const from = join(dirname(file), path!);
      if (isIn(folders, from)) continue;
      const names = list!.split(",").map((name) => name.trim());
      const known = shared.get(relative(src, from)) ?? new Set();
      for (const name of names) {
        if (/ as /.test(name)) throw new Error(`${file}: the bundle needs ${name} by its own name`);
        if (/^\w+$/.test(name)) known.add(name);
      }
      shared.set(relative(src, from), known);
    }
  }
  return shared;
}

/**
 * The module that replaces a lazy file in the bundle. It has the same functions, and the file's
 * text.
 */
async function standIn(entry: string, text: string): Promise<string> {
  const name = apart[entry];
  const written =
    name === undefined
      ? JSON.stringify(text)
      : `require("node:fs").readFileSync(import.meta.dir + ${JSON.stringify(`/${name}`)}, "utf8")`;
  // Imports single names on demand. Otherwise the bundle would make an object of each whole module.
  const shared = [...sharedNames(entry)].sort().map(([file, names], i) => {
    const list = [...names].sort();
    return {
      head: `import { ${list.map((name) => `${name} as ${name}$${i}`).join()} } from ${JSON.stringify(join(src, file))};`,
      found: `case ${JSON.stringify(file)}: return { ${list.map((name) => `${name}: ${name}$${i}`).join()} };`,
    };
  });
  const source = await Bun.file(join(src, entry)).text();
  const names = new Bun.Transpiler({ loader: "ts" }).scan(source).exports;
  return `
    import { atCaller } from ${JSON.stringify(join(src, "validate/values.ts"))};
    ${shared.map(({ head }) => head).join("\n")}
    function find(name) {
      switch (name) { ${shared.map(({ found }) => found).join("\n")} }
      return require(name);
    }
    let loaded;
    function load() {
      if (!loaded) {
        const module = { exports: {} };
        (0, eval)(${written})(module.exports, find, module);
        loaded = module.exports;
      }
      return loaded;
    }
    ${names.map((name) => `export const ${name} = (...values) => atCaller(${name}, () => load().${name}(...values));`).join("\n")}`;
}

/** The result of bundling all lazy files. */
interface LazyFiles {
  /** Puts the replacement modules into a bundle. */
  readonly plugin: Bun.BunPlugin;
  /** Texts to write next to the bundles, by file name. */
  readonly beside: ReadonlyMap<string, string>;
}

/** Bundles all lazy files. */
export async function lazyFiles(): Promise<LazyFiles> {
  const contents = new Map<string, string>();
  const beside = new Map<string, string>();
  for (const entry of Object.keys(lazy)) {
    const text = await bundle(entry, [sharing(entry)], "cjs");
    contents.set(join(src, entry), await standIn(entry, text));
    if (apart[entry] !== undefined) beside.set(apart[entry], text);
  }
  const plugin: Bun.BunPlugin = {
    name: "lazy files",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const found = contents.get(path);
        return found === undefined ? undefined : { contents: found, loader: "js" };
      });
    },
  };
  return { plugin, beside };
}
