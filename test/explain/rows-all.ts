/** All denials that are provoked for real. */
import { fileRows } from "./rows-files.ts";
import { networkRows, newerRows } from "./rows-network.ts";
import { childRows, programRows } from "./rows-programs.ts";
import type { Rows } from "./rows.ts";

export const rows: Rows = {
  ...fileRows,
  ...networkRows,
  ...newerRows,
  ...programRows,
  ...childRows,
};
