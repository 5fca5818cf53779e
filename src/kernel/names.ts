/**
 * Names of files as strings. To the kernel a name is bytes, and they need not be UTF-8: each byte
 * that isn't becomes one of U+DC80 to U+DCFF, which no text contains. So two names never become
 * one, and `isWellFormed()` tells whether a name is a text, which policies and options can hold.
 * Such a name reaches the kernel through `fileName()` only: everything else, `node:path` included,
 * would make it the name of another file.
 */
import { LandlockError } from "../errors/errors.ts";

/** What stands for the byte 0; that for the byte 0x80 is the first one in use. */
const escaped = 0xdc00;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The string for a name's bytes. */
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

/** How many bytes a character has that begins with this one. */
function lengthAt(byte: number): number {
  if (byte < 0xc0) return 1;
  return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/** The bytes that a name stands for. */
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

/** A name as `node:fs` takes it. */
export function fileName(name: string): string | Buffer {
  return name.isWellFormed() ? name : bytesOf(name);
}

/** The directory that a path is in, by its text: `dirname()` for names that are not UTF-8 too. */
export function parentOf(path: string): string {
  const end = path.replace(/\/+$/, "").lastIndexOf("/");
  return end > 0 ? path.slice(0, end).replace(/(?<=.)\/+$/s, "") : path.startsWith("/") ? "/" : ".";
}

/** The last part of a path, by its text: `basename()` for names that are not UTF-8 too. */
export function lastName(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/** The path of a name in a folder. */
export function inFolder(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** Whether a path is that of a folder or of something in it, by their texts. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** Where a symbolic link leads. Throws as readlinkSync() does. */
export function linkTarget(path: string): string {
  const { readlinkSync } = require("node:fs") as typeof import("node:fs");
  return nameOf(readlinkSync(fileName(path), { encoding: "buffer" }));
}

/** A path without symbolic links. Throws as realpathSync() does. */
export function realPath(path: string): string {
  const { realpathSync } = require("node:fs") as typeof import("node:fs");
  return nameOf(realpathSync.native(fileName(path), { encoding: "buffer" }));
}

/** The same, or undefined if it cannot be told. */
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
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if it was removed, or its path is too long
 */
export function currentDirectory(): string {
  try {
    const path = process.cwd();
    // Bun's own answer has lost the bytes that are not UTF-8.
    return path.includes("\ufffd") ? linkTarget("/proc/self/cwd") : path;
  } catch (cause) {
    const { code = "an error" } = cause as { code?: string };
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot tell the current directory: ${code}; change to one that exists and has a shorter path`,
      { cause },
    );
  }
}
