/** Parts of the package that are evaluated only when they are needed. */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { bundle, src } from "./bundle.ts";

/**
 * Files that travel as text inside the bundle and are evaluated when one of their functions is
 * called: every script would pay for them at its start, and by the time they are needed a file of
 * theirs could be out of reach, behind the sandbox. They export functions and types only. Beside
 * each stand the folders of `src` whose files travel with it, where it imports them.
 */
const lazy: Readonly<Record<string, readonly string[]>> = {
  "validate/schemas.ts": ["validate/schemas"],
  "presets/lazy.ts": ["presets"],
  "policy/read.ts": ["policy"],
  "explain/explain.ts": ["explain", "model"],
  "cli/watching.ts": ["explain", "explain/run", "model", "trace", "learn", "advise", "terminal"],
};

/**
 * Lazy files whose text is a file of its own beside the bundle: it is long, few runs of the command
 * line need it, and those are not restricted themselves.
 */
const apart: Readonly<Record<string, string>> = { "cli/watching.ts": "watching.cjs" };

function foldersOf(entry: string): string[] {
  return lazy[entry]!.map((folder) => join(src, folder));
}

function isIn(folders: readonly string[], file: string): boolean {
  return folders.some((folder) => file.startsWith(`${folder}/`));
}

/**
 * Leaves out what a lazy file imports from elsewhere in `src`: the bundle has that already, and
 * there must be one `LandlockError` and one `FsRule` only.
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

/** What a lazy file and its folder import from elsewhere in `src`, types aside: names by file. */
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

/** The module that stands in the bundle for a lazy file: the same functions, with its text. */
async function standIn(entry: string, text: string): Promise<string> {
  const name = apart[entry];
  const written =
    name === undefined
      ? JSON.stringify(text)
      : `require("node:fs").readFileSync(import.meta.dir + ${JSON.stringify(`/${name}`)}, "utf8")`;
  // By name, and late: the bundle would make an object of each whole module otherwise.
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
    import { atCaller } from ${JSON.stringify(join(src, "errors/errors.ts"))};
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

/** What the lazy files come to. */
interface LazyFiles {
  /** Puts their stand-ins into a bundle. */
  readonly plugin: Bun.BunPlugin;
  /** Texts that go beside the bundles, by the names of their files. */
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
