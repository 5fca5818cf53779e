/** Finds strace, as the lines of sh in `src/build/starter.ts` find Bun. */
import { lstatSync, statSync } from "node:fs";
import { LandlockError } from "../errors/errors.ts";
import { lookUpCommand } from "../kernel/lookup.ts";
import { fileName, parentOf, realPath } from "../kernel/names.ts";
import { close, openIn } from "../kernel/syscalls.ts";
import { O_NOFOLLOW, O_PATH } from "../kernel/uapi.ts";
import { walk } from "../kernel/walk.ts";

const EACCES = -13;
const S_IWOTH = 0o002;

/**
 * Finds strace by the absolute entries of PATH. Those that bunx(1) and npx(1) add hold what packages
 * brought, so no `node_modules` counts. Nor does the `bun-node-…` in /tmp that `bun run` adds.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if there is none
 */
export function findStrace(): string {
  for (const entry of (process.env["PATH"] ?? "").split(":")) {
    // With Bun's replacement for bytes that are not UTF-8 it is another directory.
    if (!entry.startsWith("/") || entry.includes("\ufffd")) continue;
    const found = lookUpCommand("strace", entry);
    if (typeof found === "string" && isTrusted(entry, found)) return found;
  }
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    "Cannot find the program strace, which shows what a command does: install it, as with apt-get install strace",
    { path: "strace" },
  );
}

function isTrusted(entry: string, file: string): boolean {
  try {
    if ([entry, realPath(entry)].some((path) => /\/node_modules(\/|$)/.test(path))) return false;
    const { fd, end } = walk(file, (folder, name, place, isLast) => {
      const isAllowed = place === "/" || name === ".." || mayLead(place, isLast);
      return isAllowed ? openIn(folder, name, O_PATH | O_NOFOLLOW) : EACCES;
    });
    if (fd < 0) return false;
    close(fd);
    // What a link of /proc says is not always where it leads.
    return isSame(end, file);
  } catch {
    // It was there a moment ago.
    return false;
  }
}

/** The folder that `bun run` makes. */
const runFolder = /\/bun-node-[^/]*$/;

/** Whether a directory, a link, or the file itself may lie on the way to strace. */
function mayLead(place: string, isLast: boolean): boolean {
  const folder = parentOf(place);
  if (isLast && (runFolder.test(folder) || isIn(".", folder) !== false)) return false;
  if (!lstatSync(fileName(place)).isSymbolicLink()) return !isSame(place, ".") || isOwnBeneath();
  if (runFolder.test(place)) return false;
  const isOpen = (statSync(fileName(folder)).mode & S_IWOTH) !== 0;
  return folder === "/" || !isOpen || isIn(".", folder) === false;
}

/** Whether this program is called from the current directory or beneath it. */
function isOwnBeneath(): boolean {
  return isIn(parentOf(process.argv[1] ?? process.execPath), ".") === true;
}

/**
 * Whether a directory is another one or beneath it; undefined if that cannot be told. It goes up by
 * `..` and compares files, as texts of paths differ by links, slashes, dots and mounts.
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
