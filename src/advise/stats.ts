/** What a file is, by any name, and whatever has become of the directories it was in. */
import { lstatSync, type BigIntStats } from "node:fs";
import { fileName } from "../kernel/names.ts";

/** The file itself, a link not followed; undefined: it cannot be looked at, gone or not. */
export function statsOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(fileName(path), { bigint: true });
  } catch {
    return undefined;
  }
}
