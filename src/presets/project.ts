/**
 * Decides which files are code of a project. `modules()` may only grant those, whatever a script
 * names.
 */
import { existsSync, lstatSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, extname, join, relative, resolve } from "node:path";
import { LandlockError } from "../errors/errors.ts";
import { isWithin } from "../kernel/names.ts";
import { headOf } from "../kernel/refused.ts";
import { textOf } from "./bounded.ts";
import { elfOf } from "./elf.ts";

/** Source files that Bun runs, and other modules of packages. */
const codeKinds = [
  ...[".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"],
  ...[".json", ".jsonc", ".wasm"],
];

/** Native code, which packages may contain for several CPUs. */
const nativeKinds = [".node", ".so"];

function isCode(path: string): boolean {
  const kind = extname(path);
  if (nativeKinds.includes(kind)) return elfOf(path)?.type === "shared";
  return codeKinds.includes(kind);
}

/** The projects that contain the entries. */
export interface Project {
  /** Whether a path without links is in one of the projects. */
  has(path: string): boolean;
  /**
   * Accepts a file that is code of a project, or an entry.
   *
   * @param path The file, without links
   * @param by The file that names it
   * @throws {LandlockError} `ERR_LANDLOCK_PATH` naming the file, if it is neither
   */
  admit(path: string, by: string): void;
}

/** @param entries Files that the user named, without links */
export function projectOf(entries: readonly string[]): Project {
  const roots = new Set(entries.map(rootOf));
  const has = (path: string) => [...roots].some((root) => isWithin(path, root));
  // Tools keep secrets in hidden directories. An entry may still be in one, as some builds are.
  const isHidden = (path: string) =>
    hiddenFolders(path).some((folder) => !entries.some((entry) => isWithin(entry, folder)));
  return {
    has,
    admit(path, by) {
      if (entries.includes(path)) return;
      if (!has(path)) throw refused(path, by, "it lies outside the project");
      if (!isCode(path)) throw refused(path, by, "it is not code");
      if (isHidden(path)) throw refused(path, by, "it lies in a hidden directory");
    },
  };
}

function refused(path: string, by: string, why: string): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot grant "${path}", which "${by}" names: ${why}; if it may be read, add it to the files of modules`,
    { path },
  );
}

/**
 * The real path of a file that the user named. Each link on the way must stay in the project that
 * contains the link, because a checkout may contain planted links.
 *
 * @param entry A file that exists, absolute or relative to the current directory
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` naming the link that leads elsewhere
 */
export function realEntry(entry: string): string {
  const named = resolve(entry);
  let path = "/";
  for (const name of named.split("/").slice(1)) {
    const link = join(path, name);
    path = realpathSync(link);
    if (path === link) continue;
    const why = whyNotFollowed(link, path);
    if (why === undefined) continue;
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot grant "${entry}": "${link}" is a link to "${path}", and ${why}; if it may be read, name "${realpathSync(named)}" instead`,
      { path: entry },
    );
  }
  return path;
}

/** Why a link must not choose its target, or undefined if it may. */
function whyNotFollowed(link: string, target: string): string | undefined {
  if (!isWithin(target, rootOf(link))) return "that lies outside the project";
  if (hiddenFolders(join(target, "x")).some((folder) => !isWithin(link, folder))) {
    return "that is hidden";
  }
  const isCodeOrFolder = lstatSync(target).isDirectory() || isCode(target) || isScript(target);
  return isCodeOrFolder ? undefined : "that is not code";
}

/** Whether it starts like the programs of packages, which have no file extension. */
function isScript(path: string): boolean {
  const head = headOf(path);
  return typeof head === "object" && head.text.startsWith("#!");
}

/**
 * The hidden folders on the way to a file, except those in node_modules, where package managers
 * keep their stores.
 */
function hiddenFolders(path: string): string[] {
  const names = dirname(path.replace(/\/node_modules\/.*/s, "/node_modules/x")).split("/");
  return names.flatMap((name, i) =>
    name.startsWith(".") ? [names.slice(0, i + 1).join("/")] : [],
  );
}

/** The root of the project that a file belongs to, or of its workspace if it has one. */
function rootOf(entry: string): string {
  const before = entry.indexOf("/node_modules/");
  if (before >= 0) {
    const folder = entry.slice(0, before) || "/";
    // Globally installed packages belong to no project.
    return manifestOf(folder, entry) ? workspaceOf(folder, entry) : join(folder, "node_modules");
  }
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    const manifest = manifestOf(folder, entry);
    if (manifest && !isMarker(manifest)) return workspaceOf(folder, entry);
    if (folder === dirname(folder)) return dirname(entry);
  }
}

/**
 * Whether a package.json only describes the scripts of its folder, instead of starting a project.
 */
function isMarker(manifest: object): boolean {
  const keys = Object.keys(manifest);
  return keys.length > 0 && keys.every((key) => key === "type" || key === "sideEffects");
}

/** The nearest parent folder that lists a project's folder in its workspace. */
function workspaceOf(project: string, entry: string): string {
  for (let folder = dirname(project); folder !== dirname(folder); folder = dirname(folder)) {
    const inside = relative(folder, project);
    const patterns = [
      ...workspacesIn(manifestOf(folder, entry)),
      ...workspacesIn(parsed(join(folder, "pnpm-workspace.yaml"), entry, Bun.YAML.parse)),
    ];
    const fits = (pattern: string) =>
      new Bun.Glob(pattern.replace(/^!?(\.\/)?/, "").replace(/\/$/, "")).match(inside);
    const last = patterns.findLast(fits);
    if (last !== undefined && !last.startsWith("!")) return folder;
  }
  return project;
}

function workspacesIn(settings: Readonly<Record<string, unknown>> | undefined): string[] {
  const { workspaces, packages } = settings ?? {};
  const nested = (workspaces as { packages?: unknown } | undefined)?.packages;
  return [workspaces, nested, packages]
    .flat()
    .filter((pattern): pattern is string => typeof pattern === "string");
}

/** HOME without links, or as given if it doesn't exist. */
function home(): string {
  const folder = homedir();
  return existsSync(folder) ? realpathSync(folder) : folder;
}

/**
 * The package.json of a folder. In `/` and HOME it makes no project, since unrelated files are
 * there.
 */
function manifestOf(folder: string, entry: string) {
  if (folder === "/" || folder === home()) return undefined;
  return parsed(join(folder, "package.json"), entry, Bun.JSONC.parse);
}

/**
 * The content of a settings file, unless another user owns it. In a directory that everyone may
 * write, it could turn all files there into a project.
 */
function parsed(path: string, entry: string, parse: (text: string) => unknown) {
  try {
    const stats = lstatSync(path);
    const trusted = [0, process.geteuid?.(), lstatSync(entry).uid];
    if (!trusted.includes(stats.uid) || realpathSync(path) !== path) return undefined;
    const value = parse(textOf(path));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
