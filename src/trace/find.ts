/** Finds strace. The shell code in `src/build/starter.ts` finds Bun in the same way. */
import { lstatSync, statSync } from "node:fs";
import { EACCES } from "../errors/errno.ts";
import { LandlockError } from "../errors/errors.ts";
import { lookUpCommand } from "../kernel/lookup.ts";
import { fileName, parentOf, realPath } from "../kernel/names.ts";
import { close, openIn } from "../kernel/syscalls.ts";
import { O_NOFOLLOW, O_PATH, S_IWOTH } from "../kernel/uapi.ts";
import { walk } from "../kernel/walk.ts";

/**
 * Finds strace through the absolute entries of PATH. It skips `node_modules`, since bunx(1) and
 * npx(1) add folders there that packages control. It also skips the `bun-node-…` folder that
 * `bun run` adds.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if strace isn't found
 */
export function findStrace(): string {
  for (const entry of (process.env["PATH"] ?? "").split(":")) {
    // Bun replaced bytes that aren't UTF-8, so the entry is another directory now.
    if (!entry.startsWith("/") || entry.includes("\ufffd")) continue;
    const found = lookUpCommand("strace", entry);
    if (typeof found === "string" && isTrusted(entry, found)) return found;
  }
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    "Cannot find the program strace, which shows what a command does: install it, for example with apt-get install strace",
    { path: "strace" },
  );
}

function isTrusted(entry: string, file: string): boolean {
  try {
    if ([entry, realPath(entry)].some((path) => /\/node_modules(\/|$)/.test(path))) return false;
    const { fd, end } = walk(file, (folder, name, place, isLast) => {
      const isAllowed = place === "/" || name === ".." || mayLead(place, isLast);
      return isAllowed ? openIn(folder, name, O_PATH | O_NOFOLLOW) : -EACCES;
    });
    if (fd < 0) return false;
    close(fd);
    // A link of /proc may lead elsewhere than its text says.
    return isSame(end, file);
  } catch {
    // The file was removed after it was found.
    return false;
  }
}

/** The folder that `bun run` creates in /tmp. */
const runFolder = /\/bun-node-[^/]*$/;

/** Whether the path to strace may go through this directory, link or file. */
function mayLead(place: string, isLast: boolean): boolean {
  const folder = parentOf(place);
  if (isLast && (runFolder.test(folder) || isIn(".", folder) !== false)) return false;
  if (!lstatSync(fileName(place)).isSymbolicLink()) return !isSame(place, ".") || isOwnBeneath();
  if (runFolder.test(place)) return false;
  const isOpen = (statSync(fileName(folder)).mode & S_IWOTH) !== 0;
  return folder === "/" || !isOpen || isIn(".", folder) === false;
}

/** Whether this program's own file is in the current directory or beneath it. */
function isOwnBeneath(): boolean {
  return isIn(parentOf(process.argv[1] ?? process.execPath), ".") === true;
}

/**
 * Whether a directory is another one or beneath it; undefined if unknown. It goes up with `..` and
 * compares files, because links, slashes, dots and mounts make equal directories differ as text.
 */
function isIn(path: string, folder: string): boolean | undefined {
  try {
    for (let at = `${path}/.`; ; at += "/..") {
      if (isSame(at, folder)) return true;
      if (isSame(at, "/")) return false;
    }
  } catch {
    return undefined;
  }
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((path) => statSync(fileName(path), { bigint: true }));
  return first!.dev === second!.dev && first!.ino === second!.ino;
}
