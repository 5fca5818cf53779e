/** Records which folders and settings Bun's resolver reads to find the file of an import. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, isAbsolute, join, parse, resolve } from "node:path";
import { requireSettings, settingsIn } from "./bounded.ts";
import { isWithin } from "../kernel/names.ts";
import type { Project } from "./project.ts";

/** What to grant: files for reading, and folders for listing. */
export interface Trail {
  readonly files: Set<string>;
  readonly folders: Set<string>;
  /** Paths with links that led to them, and missing paths that would lead to other files. */
  readonly links: Set<string>;
  /** The project that files and folders must belong to. */
  readonly project: Project;
  /** The compiler options of each visited folder. */
  readonly options: Map<string, Options>;
  /** Folders and files whose settings Bun's resolver can read. */
  readonly checked: Set<string>;
  /** The paths with a `*` in the `package.json` of each visited folder. */
  readonly patterns: Map<string, readonly string[]>;
}

/** `compilerOptions` of a `tsconfig.json`, including those that it extends. */
export type Options = Readonly<Record<string, unknown>>;

/** The syntax of an import, which may select different files of a package. */
export type ImportKind = "import" | "require";

const inPackage = /\/node_modules\//;

/** Whether a path is a regular file that this process can reach. */
export function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** The folder and all its parents, nearest first. */
function upwards(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...upwards(parent)];
}

/** Records a folder that Bun lists, if it belongs to the project. */
function noteFolder(folder: string, trail: Trail): void {
  if (trail.project.has(folder)) trail.folders.add(folder);
}

/** Records a settings file of the project, and refuses a link that leads out of it. */
function noteSettingsFile(path: string, by: string, trail: Trail): void {
  const real = realpathSync(path);
  trail.project.admit(real, by);
  trail.files.add(real);
}

/**
 * The nearest file above with one of these names. Records its folder, which Bun lists to find it.
 */
function nearest(folder: string, names: readonly string[], trail: Trail): string | undefined {
  for (const above of upwards(folder)) {
    if (!trail.project.has(above)) return undefined;
    const name = names.find((one) => existsSync(join(above, one)));
    if (name === undefined) {
      trail.links.add(join(above, names[0]!));
      continue;
    }
    trail.folders.add(above);
    return join(above, name);
  }
  return undefined;
}

/** Records a package's folder. Bun follows links to the folder that it reads. */
function noteEntry(path: string, trail: Trail): void {
  const folder = realpathSync(path);
  noteFolder(folder, trail);
  const manifest = join(folder, "package.json");
  if (trail.project.has(folder) && existsSync(manifest)) noteSettingsFile(manifest, folder, trail);
}

/**
 * The settings that apply to the files of a folder, from its `package.json` and `tsconfig.json`.
 */
export function noteSettings(folder: string, trail: Trail): Options {
  const known = trail.options.get(folder);
  if (known) return known;
  noteFolder(folder, trail);
  const manifest = nearest(folder, ["package.json"], trail);
  if (manifest !== undefined) noteSettingsFile(manifest, folder, trail);
  // Bun ignores the tsconfig.json files of packages.
  const config = inPackage.test(`${folder}/`)
    ? undefined
    : nearest(folder, ["tsconfig.json", "jsconfig.json"], trail);
  const options = config === undefined ? {} : noteConfig(config, trail, []);
  trail.options.set(folder, options);
  return options;
}

/** Records a `tsconfig.json` and the files it extends. Returns their merged options. */
function noteConfig(path: string, trail: Trail, by: readonly string[]): Options {
  if (by.includes(path)) return {};
  noteSettingsFile(path, by.at(-1) ?? dirname(path), trail);
  noteFolder(dirname(path), trail);
  const settings = settingsIn(path);
  const names = [settings["extends"] ?? []].flat().filter((name) => typeof name === "string");
  const bases = names
    .flatMap((name) => extendedBy(name, path, trail))
    .map((base) => noteConfig(base, trail, [...by, path]));
  return Object.assign(
    {},
    ...bases,
    absolute(settings["compilerOptions"], dirname(path)),
  ) as Options;
}

/** Compiler options whose `baseUrl` and `paths` don't depend on the folder of their file. */
function absolute(options: unknown, folder: string): Options {
  const { baseUrl, paths, ...others } = (options ?? {}) as Options;
  const base = typeof baseUrl === "string" ? resolve(folder, baseUrl) : folder;
  const lists = Object.entries(paths ?? {}).map(([pattern, list]) => [
    pattern,
    [list].flat().flatMap((target) => (typeof target === "string" ? [resolve(base, target)] : [])),
  ]);
  return {
    ...others,
    ...(typeof baseUrl === "string" ? { baseUrl: base } : {}),
    ...(paths === undefined ? {} : { paths: Object.fromEntries(lists) }),
  };
}

/** The file that `extends` names, as a path with or without `.json`, or in a package. */
function extendedBy(name: string, path: string, trail: Trail): string[] {
  if (!name.startsWith(".") && !isAbsolute(name)) {
    return [resolved(name, path, "require", trail) ?? []].flat();
  }
  const target = resolve(dirname(path), name);
  if (isFile(target)) return [target];
  trail.links.add(target);
  return [`${target}.json`].filter(isFile);
}

/** The place of a package in the node_modules of each folder of the project, nearest first. */
function packagePlaces(specifier: string, importer: string, trail: Trail): string[] {
  const name = /^(@[^/]+\/)?[^/@][^/]*/.exec(specifier)?.[0];
  if (name === undefined) return [];
  const folders = upwards(dirname(importer)).filter((folder) => trail.project.has(folder));
  return folders.map((folder) =>
    join(basename(folder) === "node_modules" ? folder : join(folder, "node_modules"), name),
  );
}

/**
 * Records the folders in which Bun searches for a package, and the places where another one would
 * come first.
 *
 * @param path The file that was found, without links
 */
function notePackage(specifier: string, importer: string, path: string, trail: Trail): void {
  for (const found of packagePlaces(specifier, importer, trail)) {
    if (!existsSync(found)) {
      trail.links.add(found);
      continue;
    }
    const modules = found.slice(0, found.lastIndexOf("/node_modules/") + "/node_modules".length);
    // Bun lists the folder that contains node_modules, even when it starts from inside.
    const holder = dirname(modules);
    for (const listed of [holder, realpathSync(modules), realpathSync(dirname(found))]) {
      noteFolder(listed, trail);
    }
    noteEntry(found, trail);
    const real = realpathSync(found);
    const isTaken = isWithin(path, real);
    if (real !== found || !isTaken) trail.links.add(found);
    if (isTaken) return;
  }
}

/** Requires that Bun can read the settings of all folders that it may visit for an import. */
function requireResolvable(specifier: string, importer: string, trail: Trail): void {
  const folder = dirname(importer);
  const above = upwards(folder);
  const isPath = /^(\.{0,2}\/|\.{1,2}$)/.test(specifier);
  const [name = specifier] = /^(@[^/]+\/)?[^/]*/.exec(specifier) ?? [];
  const places = isPath
    ? [resolve(folder, specifier)]
    : [
        ...above.flatMap((one) => [name, specifier].map((last) => join(one, "node_modules", last))),
        ...mappedPlaces(specifier, importer, trail),
      ];
  const parts = specifier.split("/");
  const stars = parts.map((_, i) => parts.slice(i).join("/"));
  for (const place of [...above, ...places.flatMap((one) => [dirname(one), one])]) {
    for (const pattern of patternsIn(place, trail)) {
      for (const star of stars) {
        requireSettings(dirname(pattern.replaceAll("*", () => star)), trail.checked);
      }
    }
  }
}

/**
 * Requires the same of a folder and of those that its `package.json` names. Returns the paths there
 * that contain a `*`.
 */
function patternsIn(folder: string, trail: Trail): readonly string[] {
  const known = trail.patterns.get(folder);
  if (known) return known;
  const targets: string[] = [];
  if (existsSync(folder)) {
    const { main, module, browser, exports, imports } = settingsIn(join(folder, "package.json"));
    const json = JSON.stringify([main, module, browser, exports, imports]);
    for (const [text] of json.matchAll(/"(?:[^"\\]|\\.)*"/g)) {
      targets.push(join(folder, JSON.parse(text) as string));
    }
    const visited = [folder, realpathSync(folder), ...targets.map((target) => dirname(target))];
    for (const one of visited) requireSettings(one, trail.checked);
  }
  const patterns = targets.filter((target) => target.includes("*"));
  trail.patterns.set(folder, patterns);
  return patterns;
}

/** Records the files that decide how large the project of an entry is, and the missing ones. */
export function noteProject(entry: string, trail: Trail): void {
  for (const above of upwards(dirname(entry))) {
    for (const name of ["package.json", "pnpm-workspace.yaml"]) trail.links.add(join(above, name));
  }
}

/** Records where an import that leads nowhere would find something. */
function noteMissing(specifier: string, importer: string, trail: Trail): void {
  const named = resolve(dirname(importer), specifier);
  const isPath = /^\.{0,2}\//.test(specifier);
  const places = isPath ? [named] : packagePlaces(specifier, importer, trail);
  for (const place of places) if (trail.project.has(place)) trail.links.add(place);
}

/** Where the `paths` and `baseUrl` of the settings lead an import, in their order. */
function mappedPlaces(specifier: string, importer: string, trail: Trail): string[] {
  const { paths, baseUrl } = trail.options.get(dirname(importer)) ?? {};
  const places = Object.entries((paths ?? {}) as Record<string, string[]>).flatMap(
    ([pattern, list]) => {
      const [before = "", after] = pattern.split("*", 2);
      const fits = after === undefined ? specifier === pattern : true;
      if (!fits || !specifier.startsWith(before) || !specifier.endsWith(after ?? "")) return [];
      const star = specifier.slice(before.length, specifier.length - (after ?? "").length);
      return list.map((target) => target.replace("*", () => star));
    },
  );
  return typeof baseUrl === "string" ? [...places, join(baseUrl, specifier)] : places;
}

/** Records where the settings would find something else first. */
function noteMapped(specifier: string, importer: string, path: string, trail: Trail): void {
  for (const place of mappedPlaces(specifier, importer, trail)) {
    if (path.startsWith(place)) return;
    if (trail.project.has(place)) trail.links.add(place);
  }
}

/**
 * The file that an import leads to, as Bun resolves it. Records what Bun reads and lists on the
 * way.
 *
 * @param importer The file with the import, without links
 * @returns Undefined for a built-in module, or if it leads nowhere
 */
export function resolved(
  specifier: string,
  importer: string,
  kind: ImportKind,
  trail: Trail,
): string | undefined {
  requireResolvable(specifier, importer, trail);
  let found: string;
  try {
    found =
      kind === "require"
        ? createRequire(importer).resolve(specifier)
        : Bun.resolveSync(specifier, dirname(importer));
  } catch {
    noteMissing(specifier, importer, trail);
    return undefined;
  }
  const path = found.startsWith("file:") ? Bun.fileURLToPath(found) : found.replace(/\?.*$/, "");
  if (!isAbsolute(path) || !isFile(path)) return undefined;
  const real = realpathSync(path);
  if (/^(\.{0,2}\/|\.{1,2}$)/.test(specifier)) {
    // The file may be a link, whose own folder Bun lists.
    const named = resolve(dirname(importer), specifier);
    const folder = dirname(named);
    if (existsSync(folder)) noteFolder(realpathSync(folder), trail);
    if (!real.startsWith(join(folder, parse(named).name))) trail.links.add(named);
  } else if (specifier.startsWith("#")) {
    // The target is in this package, or in another one by its name.
    const [, modules = "", name = ""] =
      /^(.*\/node_modules\/)((?:@[^/]+\/)?[^/]+)/s.exec(path) ?? [];
    if (!importer.startsWith(`${modules}${name}/`)) notePackage(name, importer, real, trail);
  } else if (!/^\w+:/.test(specifier)) {
    noteMapped(specifier, importer, real, trail);
    notePackage(specifier, importer, real, trail);
  }
  return real;
}

/** Whether Bun itself would provide or fetch an import that leads to no file. */
export function isBuiltin(specifier: string): boolean {
  try {
    return !isAbsolute(Bun.resolveSync(specifier, "/"));
  } catch {
    return /^[a-z][a-z0-9+.-]+:/i.test(specifier);
  }
}
