/**
 * File names as strings. The kernel's names are bytes, which need not be UTF-8: each byte that
 * isn't becomes one of U+DC80 to U+DCFF, which never occur in valid text. So different names stay
 * different, and `isWellFormed()` tells whether a policy or an option can hold a name. Such a name
 * may reach the kernel only through `fileName()`: anything else, `node:path` included, turns it
 * into another file's name.
 */
import { LandlockError } from "../errors/errors.ts";

/** Stands for the byte 0. The first code in use is the one for the byte 0x80. */
const escaped = 0xdc00;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes a name's bytes to a string. */
export function nameOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    let name = "";
    for (let at = 0; at < bytes.length;) {
      const length = lengthAt(bytes[at]!);
      try {
        name += decoder.decode(bytes.subarray(at, at + length));
        at += length;
      } catch {
        name += String.fromCharCode(escaped + bytes[at++]!);
      }
    }
    return name;
  }
}

/** The number of bytes of a UTF-8 character that begins with this byte. */
function lengthAt(byte: number): number {
  if (byte < 0xc0) return 1;
  return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/** The bytes of a name. */
export function bytesOf(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name);
  const parts = [...name].map((character) => {
    const byte = character.charCodeAt(0) - escaped;
    return character.length === 1 && byte >= 0x80 && byte <= 0xff
      ? Buffer.of(byte)
      : Buffer.from(character);
  });
  return Buffer.concat(parts);
}

/** A name in the form that `node:fs` accepts. */
export function fileName(name: string): string | Buffer {
  return name.isWellFormed() ? name : bytesOf(name);
}

/**
 * The parent directory of a path, by its text: `dirname()` that also supports names that aren't
 * UTF-8.
 */
export function parentOf(path: string): string {
  const end = path.replace(/\/+$/, "").lastIndexOf("/");
  return end > 0 ? path.slice(0, end).replace(/(?<=.)\/+$/s, "") : path.startsWith("/") ? "/" : ".";
}

/**
 * The last part of a path, by its text: `basename()` that also supports names that aren't UTF-8.
 */
export function lastName(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/**
 * A path without `.`, `..` and empty names, by its text. `node:path` would change names that aren't
 * UTF-8.
 */
export function normalPath(path: string): string {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "." && name !== "") names.push(name);
  }
  return `/${names.join("/")}`;
}

/** The path of an entry of a folder. */
export function inFolder(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** Whether a path is a folder or something in it, by their texts. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** Whether a path is in one of these folders, by their texts. */
export function isBeneath(path: string, open: ReadonlySet<string>): boolean {
  for (const folder of open) if (isWithin(path, folder)) return true;
  return false;
}

/** The target of a symbolic link. Throws like realpathSync(). */
export function linkTarget(path: string): string {
  const { readlinkSync } = require("node:fs") as typeof import("node:fs");
  return nameOf(readlinkSync(fileName(path), { encoding: "buffer" }));
}

/** Where a symbolic link leads, or undefined if it can't be told. */
export function knownLinkTarget(path: string): string | undefined {
  try {
    return linkTarget(path);
  } catch {
    return undefined;
  }
}

/** A path with its symbolic links resolved. Throws like realpathSync(). */
export function realPath(path: string): string {
  const { realpathSync } = require("node:fs") as typeof import("node:fs");
  return nameOf(realpathSync.native(fileName(path), { encoding: "buffer" }));
}

/** `realPath()`, or undefined if it fails. */
export function knownRealPath(path: string): string | undefined {
  try {
    return realPath(path);
  } catch {
    return undefined;
  }
}

/**
 * The current directory.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if it was removed, or if its path is too long
 */
export function currentDirectory(): string {
  try {
    const path = process.cwd();
    // Bun's answer replaces bytes that aren't UTF-8.
    return path.includes("\ufffd") ? linkTarget("/proc/self/cwd") : path;
  } catch (cause) {
    const { code = "an error" } = cause as { code?: string };
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot read the current directory: ${code}; change to one that exists and has a shorter path`,
      { cause },
    );
  }
}
