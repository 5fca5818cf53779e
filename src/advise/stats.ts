/** Looks at files under any name, even if their directories have changed. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  type BigIntStats,
} from "node:fs";
import { fileName } from "../kernel/names.ts";

/** Larger files aren't read. Bundles of certificates have about 200 KB. */
const bytesMax = 1024 * 1024;

/** The status of a file without following a link. Undefined if it can't be read. */
export function statsOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(fileName(path), { bigint: true });
  } catch {
    return undefined;
  }
}

/**
 * The bytes of a regular file; empty for other files. Undefined if it can't be read or is too long.
 */
export function contentOf(path: string): Buffer | undefined {
  try {
    // Opening a FIFO would wait for a writer.
    const fd = openSync(fileName(path), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return Buffer.alloc(0);
      if (stats.size > bytesMax) return undefined;
      const bytes = Buffer.alloc(stats.size);
      let length = 0;
      for (let got = -1; got !== 0 && length < bytes.length; length += got) {
        got = readSync(fd, bytes, length, bytes.length - length, length);
      }
      return bytes.subarray(0, length);
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
