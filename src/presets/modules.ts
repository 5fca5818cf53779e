/** The preset for a script's own modules. */
import { readFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { LandlockError } from "../errors/errors.ts";
import { idWithoutLinks } from "../kernel/identity.ts";
import { parse } from "../validate/parse.ts";
import type { CompositeRule } from "../sandbox/rule.ts";
import { composite } from "../sandbox/rules.ts";
import { isPathString } from "../validate/values.ts";
import { elfOf } from "./elf.ts";
import { browsable, readable } from "./grant.ts";
import { librariesOf } from "./libraries.ts";
import { projectOf, realEntry } from "./project.ts";
import {
  isBuiltin,
  isFile,
  noteSettings,
  resolved,
  type ImportKind,
  type Options,
  type Trail,
} from "./resolver.ts";

const loaders: Readonly<Record<string, "js" | "jsx" | "ts" | "tsx">> = {
  "": "tsx",
  ".js": "jsx",
  ".mjs": "js",
  ".cjs": "js",
  ".jsx": "jsx",
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
};

/** An import as it stands in a file. */
interface Import {
  readonly specifier: string;
  readonly kind: ImportKind;
  /** Whether the file may do without it: what fails at run time can be caught. */
  readonly optional: boolean;
  /** Whether it does not stand in the file, but Bun may add it. */
  readonly guessed?: boolean;
}

/**
 * What importing scripts takes: for reading, their files, all that they import, with `import` and
 * `require()`, and with `import()` of a name that stands there as a string; the `package.json` and
 * `tsconfig.json` files that Bun reads on the way, and the libraries that native add-ons are linked
 * with. For listing, the folders of all these, as Bun's resolver does it, which covers the names
 * of everything beneath them, not what it holds. Real paths: the links that package managers make
 * are followed. Without it, an import ends with `Cannot find module`. ABI 1.
 *
 * A script cannot choose any file to be read. Granted are only files of the entry's project, its
 * node_modules included, and only code: scripts, JSON, WebAssembly and native add-ons, outside of
 * hidden directories. The project is the folder of the nearest `package.json`, or the workspace which
 * names that folder. An import of anything else is an error that names the file; a text file or a
 * linked package that may be read is named as an entry of its own. An entry that is a link, or lies
 * behind one, must lead to code of the project that holds the link; else name what it leads to.
 *
 * A node_modules folder without a `package.json` beside it belongs to no project. For packages in it
 * that import one another, grant `read_dir` on what it lies in.
 *
 * Not what is only known when it runs: `import(variable)`, the file of a `Worker` (name it as an
 * entry of its own), files that are read. A Bun process that is started inside needs
 * `bun({ children: true })`, `executable("bun")` and `cwd()` besides.
 *
 * @param entries Paths of scripts, relative ones to the current directory
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where an entry or what it imports is not found,
 *   cannot be read or is no code of the project, or an entry cannot be parsed;
 *   `ERR_LANDLOCK_INVALID_RULE` where one is no path
 */
export function modules(...entries: string[]): CompositeRule {
  if (!entries.every(isPathString)) parse("paths", entries, "presets.modules()");
  const named = entries.map((entry): [string, string] => [resolve(entry), entryPath(entry)]);
  const waiting = named.map(([, real]) => real);
  const project = projectOf([...waiting]);
  const trail: Trail = {
    ...{ files: new Set(), folders: new Set(), links: new Set(), options: new Map() },
    project,
  };
  const libraries = new Map<string, string>();
  const seen = new Set<string>();
  const first = new Set(waiting);
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    if (seen.has(file)) continue;
    seen.add(file);
    trail.files.add(file);
    if (extname(file) === ".node") {
      const elf = elfOf(file);
      for (const [path, id] of elf ? librariesOf(file, elf, trail.links) : [])
        libraries.set(path, id);
    }
    waiting.push(...importedBy(file, first.has(file), trail));
  }
  const files = identified(trail.files);
  // As they were named too: each link on the way is judged by the rules that stand beside it.
  for (const [path, real] of named) files.set(path, files.get(real)!);
  for (const [path, id] of libraries) files.set(path, id);
  const chosenBy = [...files.keys(), ...trail.links];
  return composite(readable(files, chosenBy), browsable(identified(trail.folders)));
}

/** Identities of files that were admitted by their paths, which have had no links. */
function identified(paths: ReadonlySet<string>): Map<string, string> {
  return new Map([...paths].map((path) => [path, idWithoutLinks(path)]));
}

function entryPath(entry: string): string {
  if (isFile(resolve(entry))) return realEntry(entry);
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot find the script "${entry}": it is no file; correct the path`,
    { path: entry },
  );
}

/** The files that a file imports, itself no link; what Bun looks at on the way is noted. */
function importedBy(file: string, isEntry: boolean, trail: Trail): string[] {
  const options = noteSettings(dirname(file), trail);
  const found: string[] = [];
  for (const { specifier, kind, optional, guessed } of importsOf(file, options, isEntry)) {
    const path = resolved(specifier, file, kind, trail);
    if (path !== undefined) {
      if (guessed && !trail.project.has(path)) continue;
      trail.project.admit(path, file);
      found.push(path);
    } else if (!optional && !isBuiltin(specifier)) throw missing(specifier, file);
  }
  return found;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot read "${file}" to see what it imports: ${(cause as { code?: string }).code}; give a script that can be read`,
      { path: file, cause },
    );
  }
}

function importsOf(file: string, options: Options, isEntry: boolean): Import[] {
  const loader = loaders[extname(file)];
  if (loader === undefined) return [];
  const text = textOf(file).replace(/^#!.*/, "");
  const transpiler = new Bun.Transpiler({
    loader,
    // As Bun does it when it runs TypeScript, where what is left may be types only.
    trimUnusedImports: loader.startsWith("ts"),
    tsconfig: JSON.stringify({ compilerOptions: options }),
  });
  let scanned: Bun.Import[];
  try {
    scanned = transpiler.scanImports(text);
  } catch (cause) {
    // Bun says so itself when it gets there, if it does.
    if (!isEntry) return [];
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot find the imports of "${file}": ${(cause as Error).message}; correct it`,
      { path: file, cause },
    );
  }
  const imports = scanned.map(({ path, kind }): Import => {
    const required = kind.startsWith("require");
    const optional = required || kind !== "import-statement";
    return { specifier: path, kind: required ? "require" : "import", optional };
  });
  return [...imports, ...runtimesOf(text, imports, options)];
}

/**
 * What JSX is compiled to imports. Bun chooses by NODE_ENV and by settings that it does not always
 * heed, so each module that it may choose is one, if it is there.
 */
function runtimesOf(text: string, imports: readonly Import[], options: Options): Import[] {
  const found = imports.flatMap(({ specifier }) => {
    const source = /^(.+)\/jsx(?:-dev)?-runtime$/.exec(specifier)?.[1];
    return source === undefined ? [] : [source];
  });
  if (found.length === 0) return [];
  const pragma = /@jsxImportSource\s+([^\s*]+)/.exec(text)?.[1];
  const sources = [...found, pragma, options["jsxImportSource"], "react"];
  return [...new Set(sources)].flatMap((source) =>
    ["jsx-runtime", "jsx-dev-runtime"].map((name): Import => ({
      specifier: `${source}/${name}`,
      kind: "import",
      optional: true,
      guessed: true,
    })),
  );
}

function missing(specifier: string, file: string): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot find "${specifier}", which "${file}" imports: install it, or correct the import`,
    { path: file },
  );
}
