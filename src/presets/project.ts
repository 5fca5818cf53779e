/** Which files are code of a project: what `modules()` may grant, whatever a script names. */
import { existsSync, lstatSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, extname, join, relative, resolve } from "node:path";
import { LandlockError } from "../errors/errors.ts";
import { isWithin } from "../kernel/names.ts";
import { elfOf } from "./elf.ts";

/** What Bun runs, and what packages bring along as modules. */
const codeKinds = [
  ...[".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"],
  ...[".json", ".jsonc", ".wasm"],
];

/** Native code, which packages have for several CPUs. */
const nativeKinds = [".node", ".so"];

function isCode(path: string): boolean {
  const kind = extname(path);
  if (nativeKinds.includes(kind)) return elfOf(path)?.type === "shared";
  return codeKinds.includes(kind);
}

/** The projects that the entries belong to. */
export interface Project {
  /** Whether a directory or file, without links, lies in one of them. */
  has(path: string): boolean;
  /**
   * Lets a file through that is code of a project, or an entry.
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
  // Tools keep secrets in hidden directories; a build that a user starts may be in one.
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
    `Cannot grant "${path}", which "${by}" names: ${why}; if it may be read, name it as one more file of modules`,
    { path },
  );
}

/**
 * The real path of a file that the user named.
 *
 * A checkout may bring links along, so each link on the way must stay in the project that holds it.
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

/** Why a link must not choose its target; undefined if it may. */
function whyNotFollowed(link: string, target: string): string | undefined {
  if (!isWithin(target, rootOf(link))) return "that lies outside the project";
  if (hiddenFolders(join(target, "x")).some((folder) => !isWithin(link, folder))) {
    return "that is hidden";
  }
  const isCodeOrFolder = lstatSync(target).isDirectory() || isCode(target) || isScript(target);
  return isCodeOrFolder ? undefined : "that is not code";
}

/** Whether it begins as the programs of packages do, which have no extension. */
function isScript(path: string): boolean {
  return readFileSync(path).subarray(0, 2).toString() === "#!";
}

/** The hidden folders on the way to a file, but for those in node_modules, where stores are. */
function hiddenFolders(path: string): string[] {
  const names = dirname(path.replace(/\/node_modules\/.*/s, "/node_modules/x")).split("/");
  return names.flatMap((name, i) =>
    name.startsWith(".") ? [names.slice(0, i + 1).join("/")] : [],
  );
}

/** The top of the project that a file belongs to; of its workspace, where it has one. */
function rootOf(entry: string): string {
  const before = entry.indexOf("/node_modules/");
  if (before >= 0) {
    const folder = entry.slice(0, before) || "/";
    // Packages that are installed for all users belong to no project.
    return manifestOf(folder, entry) ? workspaceOf(folder, entry) : join(folder, "node_modules");
  }
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    const manifest = manifestOf(folder, entry);
    if (manifest && !isMarker(manifest)) return workspaceOf(folder, entry);
    if (folder === dirname(folder)) return dirname(entry);
  }
}

/** Some folders of a project have a package.json that only says how its scripts are meant. */
function isMarker(manifest: object): boolean {
  const keys = Object.keys(manifest);
  return keys.length > 0 && keys.every((key) => key === "type" || key === "sideEffects");
}

/** The nearest folder above that names a project's folder as a part of its workspace. */
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

/** HOME without links; as it is if it does not exist. */
function home(): string {
  const folder = homedir();
  return existsSync(folder) ? realpathSync(folder) : folder;
}

/** The package.json of a folder, unless the folder is everybody's: there it makes no project. */
function manifestOf(folder: string, entry: string) {
  if (folder === "/" || folder === home()) return undefined;
  return parsed(join(folder, "package.json"), entry, Bun.JSONC.parse);
}

/**
 * What a file says, if it is one that others have not put there: in a directory that all may write
 * to, it could make a project of all that is in it.
 */
function parsed(path: string, entry: string, parse: (text: string) => unknown) {
  try {
    const stats = lstatSync(path);
    const trusted = [0, process.geteuid?.(), lstatSync(entry).uid];
    if (!trusted.includes(stats.uid) || realpathSync(path) !== path) return undefined;
    // Reading a FIFO might wait for ever.
    if (!stats.isFile()) return undefined;
    const value = parse(readFileSync(path, "utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
