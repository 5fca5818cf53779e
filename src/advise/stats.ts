/** Looks at files under any name, even if their directories have changed. */
import { lstatSync, type BigIntStats } from "node:fs";
import { fileName } from "../kernel/names.ts";

/** The status of a file without following a link. Undefined if it can't be read. */
export function statsOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(fileName(path), { bigint: true });
  } catch {
    return undefined;
  }
}
