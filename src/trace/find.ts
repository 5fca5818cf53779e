/** Finds strace, as the lines of sh in `src/build/starter.ts` find Bun. */
import { statSync } from "node:fs";
import { LandlockError } from "../errors/errors.ts";
import { lookUpCommand } from "../kernel/lookup.ts";
import { parentOf, realPath } from "../kernel/names.ts";

/**
 * Finds strace by the absolute entries of PATH. Those that bunx(1) and npx(1) add hold what packages
 * brought, so no `node_modules` counts. Nor does the `bun-node-…` in /tmp that `bun run` adds.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if there is none
 */
export function findStrace(): string {
  const trusted = (process.env["PATH"] ?? "").split(":").filter(isTrusted);
  const found = trusted.length === 0 ? undefined : lookUpCommand("strace", trusted.join(":"));
  if (typeof found === "string") return found;
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    "Cannot find the program strace, which shows what a command does: install it, as with apt-get install strace",
    { path: "strace" },
  );
}

/** Not an entry in, above or beneath the current directory; beneath it if this program is too. */
function isTrusted(entry: string): boolean {
  // Bun's replacement for bytes that are not UTF-8: another directory.
  if (!entry.startsWith("/") || entry.includes("\ufffd")) return false;
  if (isIn(".", entry) !== false || isWritten(entry)) return false;
  const isOwnBeneath = isIn(parentOf(process.argv[1] ?? process.execPath), ".") === true;
  // Each directory on the way: it could be a link that a sandboxed command has replaced.
  for (let way = entry; way !== ""; way = way.slice(0, way.lastIndexOf("/"))) {
    if (isIn(way, ".") !== false && !isOwnBeneath) return false;
  }
  return true;
}

/** Whether others put programs there: a `node_modules`, or the folder that `bun run` makes. */
function isWritten(entry: string): boolean {
  const names = /\/node_modules(\/|$)|\/bun-node-[^/]*(\/[/.]*)?$/;
  return [entry, realPath(entry)].some((path) => names.test(path));
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
  const [first, second] = [one, other].map((path) => statSync(path, { bigint: true }));
  return first!.dev === second!.dev && first!.ino === second!.ino;
}
