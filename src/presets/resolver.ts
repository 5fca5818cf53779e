/** What Bun's resolver looks at on the way from an import to its file: folders and settings. */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, isAbsolute, join, parse, resolve } from "node:path";
import type { Project } from "./project.ts";

/** What is to be granted: files for reading, folders for listing. */
export interface Trail {
  readonly files: Set<string>;
  readonly folders: Set<string>;
  /** Paths with links that led there. */
  readonly links: Set<string>;
  /** What the files and folders have to belong to. */
  readonly project: Project;
  /** The compiler options that apply in each folder that was seen. */
  readonly options: Map<string, Options>;
}

/** `compilerOptions` of a `tsconfig.json`, with those of what it extends. */
export type Options = Readonly<Record<string, unknown>>;

/** How an import is written, which may lead to different files of a package. */
export type ImportKind = "import" | "require";

const inPackage = /\/node_modules\//;

/** Whether there is a file, and not a folder, a circle of links, or something out of reach. */
export function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** The folder and all above it, nearest first. */
function upwards(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...upwards(parent)];
}

/** Notes a folder that Bun lists, if it belongs to the project. */
function noteFolder(folder: string, trail: Trail): void {
  if (trail.project.has(folder)) trail.folders.add(folder);
}

/** Notes a settings file of the project; a link that leads out of it is refused. */
function noteSettingsFile(path: string, by: string, trail: Trail): void {
  const real = realpathSync(path);
  trail.project.admit(real, by);
  trail.files.add(real);
}

/** Notes a folder of the project that Bun lists to find one of these names in it, if there is one. */
function nearest(folder: string, names: readonly string[], trail: Trail): string | undefined {
  for (const above of upwards(folder)) {
    if (!trail.project.has(above)) return undefined;
    const name = names.find((one) => existsSync(join(above, one)));
    if (name === undefined) continue;
    trail.folders.add(above);
    return join(above, name);
  }
  return undefined;
}

/** Where a package is found: links are followed, for they lead to the folder that is read. */
function noteEntry(path: string, trail: Trail): void {
  const folder = realpathSync(path);
  noteFolder(folder, trail);
  const manifest = join(folder, "package.json");
  if (trail.project.has(folder) && existsSync(manifest)) noteSettingsFile(manifest, folder, trail);
}

/** The settings that apply to the files of a folder: its `package.json` and `tsconfig.json`. */
export function noteSettings(folder: string, trail: Trail): Options {
  const known = trail.options.get(folder);
  if (known) return known;
  noteFolder(folder, trail);
  const manifest = nearest(folder, ["package.json"], trail);
  if (manifest !== undefined) noteSettingsFile(manifest, folder, trail);
  // Bun, as others do, passes over those of packages.
  const config = inPackage.test(`${folder}/`)
    ? undefined
    : nearest(folder, ["tsconfig.json", "jsconfig.json"], trail);
  const options = config === undefined ? {} : noteConfig(config, trail, []);
  trail.options.set(folder, options);
  return options;
}

/** Notes a `tsconfig.json` and those it extends; what they say, the nearest last. */
function noteConfig(path: string, trail: Trail, by: readonly string[]): Options {
  if (by.includes(path)) return {};
  noteSettingsFile(path, by.at(-1) ?? dirname(path), trail);
  noteFolder(dirname(path), trail);
  const settings = settingsOf(path);
  const names = [settings["extends"] ?? []].flat().filter((name) => typeof name === "string");
  const bases = names
    .flatMap((name) => extendedBy(name, path, trail))
    .map((base) => noteConfig(base, trail, [...by, path]));
  return Object.assign({}, ...bases, settings["compilerOptions"]) as Options;
}

/** The file that `extends` names: by its path, with or without `.json`, or in a package. */
function extendedBy(name: string, path: string, trail: Trail): string[] {
  if (!name.startsWith(".") && !isAbsolute(name)) {
    return [resolved(name, path, "require", trail) ?? []].flat();
  }
  const target = resolve(dirname(path), name);
  return [target, `${target}.json`].filter(isFile).slice(0, 1);
}

/** What a JSON file with comments says; nothing where it is damaged. */
function settingsOf(path: string): Readonly<Record<string, unknown>> {
  // Reading a FIFO might wait for ever.
  if (!isFile(path)) return {};
  try {
    const value: unknown = Bun.JSONC.parse(readFileSync(path, "utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Notes the folders in which a package by this name is looked for and found. */
function notePackage(specifier: string, importer: string, trail: Trail): void {
  const name = /^(@[^/]+\/)?[^/@][^/]*/.exec(specifier)?.[0];
  if (name === undefined) return;
  for (const folder of upwards(dirname(importer))) {
    const modules = basename(folder) === "node_modules" ? folder : join(folder, "node_modules");
    const found = join(modules, name);
    if (!existsSync(found)) continue;
    // Bun looks for node_modules in what it is in, also from inside of it.
    const holder = dirname(modules);
    for (const listed of [holder, realpathSync(modules), realpathSync(dirname(found))]) {
      noteFolder(listed, trail);
    }
    noteEntry(found, trail);
    if (realpathSync(found) !== found) trail.links.add(found);
    return;
  }
}

/**
 * The file that an import leads to, as Bun resolves it; what it reads and lists on the way is
 * noted.
 *
 * @param importer The file that has the import, without links
 * @returns Nothing where it leads to no file: a built-in module, or nothing at all
 */
export function resolved(
  specifier: string,
  importer: string,
  kind: ImportKind,
  trail: Trail,
): string | undefined {
  let found: string;
  try {
    found =
      kind === "require"
        ? createRequire(importer).resolve(specifier)
        : Bun.resolveSync(specifier, dirname(importer));
  } catch {
    return undefined;
  }
  const path = found.startsWith("file:") ? Bun.fileURLToPath(found) : found.replace(/\?.*$/, "");
  if (!isAbsolute(path) || !isFile(path)) return undefined;
  if (/^\.{0,2}\//.test(specifier)) {
    // The file may be a link, which is listed in the folder that it is in.
    const named = resolve(dirname(importer), specifier);
    const folder = dirname(named);
    if (existsSync(folder)) noteFolder(realpathSync(folder), trail);
    if (!realpathSync(path).startsWith(join(folder, parse(named).name))) trail.links.add(named);
  } else if (specifier.startsWith("#")) {
    // Of this package, or of another one by its name.
    const [, modules = "", name = ""] =
      /^(.*\/node_modules\/)((?:@[^/]+\/)?[^/]+)/s.exec(path) ?? [];
    if (!importer.startsWith(`${modules}${name}/`)) notePackage(name, importer, trail);
  } else if (!/^\w+:/.test(specifier)) notePackage(specifier, importer, trail);
  return realpathSync(path);
}

/** Whether an import that leads nowhere is one that Bun itself would serve, or fetch. */
export function isBuiltin(specifier: string): boolean {
  try {
    return !isAbsolute(Bun.resolveSync(specifier, "/"));
  } catch {
    return /^[a-z][a-z0-9+.-]+:/i.test(specifier);
  }
}
