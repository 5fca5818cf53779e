/** Recognizes Bun by the content of a program, because any program can have its name. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { fileName } from "../kernel/names.ts";

/** A text in Bun's file and in programs compiled with Bun. */
const bunMark = Buffer.from("\n---- Bun! ----\n");
const elfMark = Buffer.from("\x7fELF");
const chunkBytes = 4 * 1024 * 1024;

/** Whether a file is Bun, or a program that contains it. */
export function isBun(program: string): boolean {
  let fd: number;
  try {
    fd = openSync(fileName(program), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    if (!fstatSync(fd).isFile()) return false;
    const chunk = Buffer.alloc(chunkBytes);
    for (let at = 0; ; at += chunkBytes - bunMark.length) {
      const got = readSync(fd, chunk, 0, chunkBytes, at);
      if (at === 0 && !chunk.subarray(0, elfMark.length).equals(elfMark)) return false;
      if (chunk.subarray(0, got).includes(bunMark)) return true;
      if (got < chunkBytes) return false;
    }
  } finally {
    closeSync(fd);
  }
}
