/** The preset for a script's own modules. */
import { dirname, extname, join, resolve } from "node:path";
import { LandlockError } from "../errors/errors.ts";
import { idWithoutLinks } from "../kernel/identity.ts";
import { parse } from "../validate/parse.ts";
import type { CompositeRule } from "../sandbox/rules.ts";
import { composite } from "../sandbox/rules.ts";
import { isPathString } from "../validate/values.ts";
import { textOf } from "./bounded.ts";
import { elfOf } from "./elf.ts";
import { browsable, readable } from "./grant.ts";
import { librariesOf } from "./libraries.ts";
import { projectOf, realEntry } from "./project.ts";
import {
  isBuiltin,
  isFile,
  noteProject,
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

/** An import in a file. */
interface Import {
  readonly specifier: string;
  readonly kind: ImportKind;
  /** Whether the import may fail, because the script can catch a failure at run time. */
  readonly optional: boolean;
  /** Whether Bun may add this import, although the file doesn't contain it. */
  readonly guessed?: boolean;
}

/**
 * Grants what importing scripts needs. It grants reading their files and all files that they import
 * with `import`, `require()`, or `import()` of a literal name. It also grants reading the
 * `package.json` and `tsconfig.json` files that Bun reads on the way, and the libraries of native
 * add-ons. Bun's resolver lists the folders of all these, so it grants listing them: the names of
 * everything beneath, not the contents. Links of package managers are followed, and real paths are
 * granted. Without it, an import ends with `Cannot find module`. ABI 1.
 *
 * A script can't choose arbitrary files to be read. It grants only files of the entry's project,
 * including its node_modules, and only code: scripts, JSON, WebAssembly and native add-ons outside
 * of hidden directories. The project is the folder of the nearest `package.json`, or the workspace
 * that lists that folder. Importing anything else is an error that names the file. To allow a text
 * file or a linked package, pass it as another entry. An entry behind a link must lead to code of
 * the project that contains the link. Otherwise, pass the link's target instead.
 *
 * A node_modules folder without a `package.json` next to it belongs to no project. If packages in
 * it import one another, grant `read_dir` on the folder that contains it.
 *
 * It doesn't cover what is only known at run time: `import(variable)`, the file of a `Worker` (pass
 * it as another entry), and files that the script reads. A Bun process that is started inside the
 * sandbox also needs `bun({ children: true })`, `executable("bun")` and `cwd()`.
 *
 * @param entries Paths of scripts; relative paths start from the current directory
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if an entry or one of its imports isn't found, can't
 *   be read or isn't code of the project, or if an entry can't be parsed;
 *   `ERR_LANDLOCK_INVALID_RULE` if an entry isn't a path
 */
export function modules(...entries: string[]): CompositeRule {
  if (!entries.every(isPathString)) parse("paths", entries, { preset: "modules" });
  const packages = entries.flatMap((entry) => packageAt(entry) ?? []);
  const all = entries.map((entry) => packageAt(entry)?.manifest ?? entry);
  const named = all.map((entry): [string, string] => [resolve(entry), entryPath(entry)]);
  const waiting = named.map(([, real]) => real);
  const project = projectOf([...waiting]);
  const trail: Trail = {
    ...{
      files: new Set(),
      folders: new Set(),
      links: new Set(),
      options: new Map(),
      checked: new Set(),
      patterns: new Map(),
    },
    project,
  };
  for (const one of packages) waiting.push(...exportedBy(one, trail));
  for (const entry of waiting) noteProject(entry, trail);
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
  // Grant the given paths too, so that the other rules of a ruleset are checked against each link.
  for (const [path, real] of named) files.set(path, files.get(real)!);
  for (const [path, id] of libraries) files.set(path, id);
  const chosenBy = [...files.keys(), ...trail.links];
  return composite(readable(files, chosenBy), browsable(identified(trail.folders)));
}

/** The identities of files that were accepted by paths without links. */
function identified(paths: ReadonlySet<string>): Map<string, string> {
  return new Map([...paths].map((path) => [path, idWithoutLinks(path)]));
}

/** A package or a subpath of one, as code next to its node_modules imports it. */
interface Package {
  readonly path: string;
  readonly specifier: string;
  readonly importer: string;
  readonly manifest: string;
}

/** The package that a path names; undefined if it names a file. */
function packageAt(entry: string): Package | undefined {
  const path = resolve(entry);
  const [, folder, specifier, name] =
    /^(.*\/)node_modules\/(((?:@[^/]+\/)?[^/@][^/]*).*)$/s.exec(path) ?? [];
  if (folder === undefined || isFile(path)) return undefined;
  const manifest = join(folder, "node_modules", name!, "package.json");
  if (!isFile(manifest)) return undefined;
  return { path, specifier: specifier!, importer: join(folder, "x.js"), manifest };
}

/** The files that importing and requiring a package load, which may differ. */
function exportedBy({ path, specifier, importer, manifest }: Package, trail: Trail): string[] {
  const kinds = ["import", "require"] as const;
  const found = kinds.flatMap((kind) => resolved(specifier, importer, kind, trail) ?? []);
  if (found.length === 0) throw noScript(path);
  for (const file of found) trail.project.admit(file, manifest);
  return found;
}

function entryPath(entry: string): string {
  if (isFile(resolve(entry))) return realEntry(entry);
  throw noScript(entry);
}

function noScript(entry: string): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot find the script "${entry}": it is not a regular file; correct the path`,
    { path: entry },
  );
}

/** The files that a file imports. Records what Bun reads on the way. */
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

function scriptOf(file: string): string {
  try {
    return textOf(file);
  } catch (cause) {
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot read "${file}" to see what it imports: ${(cause as Error).message}; name a script that can be read`,
      { path: file, cause },
    );
  }
}

function importsOf(file: string, options: Options, isEntry: boolean): Import[] {
  const loader = loaders[extname(file)];
  if (loader === undefined) return [];
  const text = scriptOf(file).replace(/^#!.*/, "");
  const transpiler = new Bun.Transpiler({
    loader,
    // Bun drops unused imports of TypeScript too, because they may only be types.
    trimUnusedImports: loader.startsWith("ts"),
    tsconfig: JSON.stringify({ compilerOptions: options }),
  });
  let scanned: Bun.Import[];
  try {
    scanned = transpiler.scanImports(text);
  } catch (cause) {
    // Bun reports the error itself if it loads this file.
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
 * The modules that compiled JSX imports. Bun chooses them by NODE_ENV and settings that it doesn't
 * always respect, so this includes every module that it may choose.
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
