/**
 * Reads files of projects with bounds: opening a FIFO may wait forever, and a sparse file may be
 * larger than memory. Bun's resolver has no such bounds, so its files are checked before.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  statSync,
} from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { LandlockError } from "../errors/errors.ts";

/** Far more than any script or settings file has. */
const bytesMax = 64 * 1024 ** 2;

function problemOf(stats: { isFile(): boolean; size: number }): string | undefined {
  if (!stats.isFile()) return "it is not a regular file";
  return stats.size > bytesMax ? "it is larger than 64 MiB" : undefined;
}

/**
 * The text of a file.
 *
 * @throws {Error} Why it can't be read, as its `message`
 */
export function textOf(path: string): string {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const problem = problemOf(fstatSync(fd));
    if (problem !== undefined) throw new Error(problem);
    return readFileSync(fd, "utf8");
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    throw new Error(code ?? message, { cause });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** An object in JSON with comments, or an empty one if the file is damaged or can't be read. */
export function settingsIn(path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = Bun.JSONC.parse(textOf(path));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/**
 * Requires that Bun's resolver can read the settings of a folder, of the folders above, and what
 * these settings extend.
 *
 * @param checked Folders and files that were checked already
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` naming the file
 */
export function requireSettings(folder: string, checked: Set<string>): void {
  for (let at = folder; !checked.has(at); at = dirname(at)) {
    checked.add(at);
    for (const name of ["package.json", "tsconfig.json", "jsconfig.json"]) {
      const path = join(at, name);
      // Bun only takes files and links for settings.
      if (!isFileOrLink(path) || !requireReadable(path)) continue;
      if (name !== "package.json") requireExtended(path, checked);
    }
  }
}

function isFileOrLink(path: string): boolean {
  try {
    const stats = lstatSync(path);
    return stats.isFile() || stats.isSymbolicLink();
  } catch {
    return false;
  }
}

function requireExtended(path: string, checked: Set<string>): void {
  if (checked.has(path)) return;
  checked.add(path);
  for (const name of [settingsIn(path)["extends"] ?? []].flat()) {
    if (typeof name !== "string" || !(name.startsWith(".") || isAbsolute(name))) continue;
    const target = resolve(dirname(path), name);
    for (const one of [target, `${target}.json`]) {
      if (requireReadable(one)) requireExtended(one, checked);
    }
  }
}

/** Whether there is a file, which must be one that reading comes to an end of. */
function requireReadable(path: string): boolean {
  let problem: string | undefined;
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return false;
    problem = problemOf(stats);
  } catch {
    return false;
  }
  if (problem === undefined) return true;
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot read "${path}", which Bun reads to resolve imports: ${problem}; remove it`,
    { path },
  );
}
