/** The policy that is extended, or the absence of one. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { LandlockError } from "../errors.ts";
import { newestAbi } from "../kernel/abi.ts";
import { isOwnFormat, readFile } from "../policy/read.ts";
import type { Limits } from "./content.ts";
import { Coverage } from "./coverage.ts";

/** A policy's file before the run. */
export interface Existing extends Limits {
  readonly path: string;
  /** Its text; undefined: there is no such file. */
  readonly text: string | undefined;
  readonly already: Coverage;
  /** The table of variables. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Looks at the file before anything runs, so that no run is lost to a mistake.
 *
 * @param merge Whether a file that exists is to be extended
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where it cannot be written, or exists and is not to be
 *   extended; `ERR_LANDLOCK_INVALID_RULE` where it is no policy of this library in TOML
 */
export function existingPolicy(file: string, merge: boolean): Existing {
  const path = resolve(file);
  const name = JSON.stringify(path);
  if (!path.endsWith(".toml")) {
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_RULE",
      `${name} is not what learn writes: call it something.toml`,
    );
  }
  if (!existsSync(path)) {
    if (!statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) {
      const message = `Cannot write ${name}: its folder does not exist; create it`;
      throw new LandlockError("ERR_LANDLOCK_PATH", message, { path });
    }
    const nothing = { abi: newestAbi, unrestricted: [], variables: {} };
    return { path, text: undefined, already: new Coverage(), ...nothing };
  }
  if (!merge) {
    const message = `${name} exists: add -merge to extend it, or give another name`;
    throw new LandlockError("ERR_LANDLOCK_PATH", message, { path });
  }
  const { config, rules } = readFile(path);
  const text = readFileSync(path, "utf8");
  const value = Bun.TOML.parse(text) as {
    unrestricted?: string[];
    variables?: Record<string, unknown>;
  };
  if (!isOwnFormat(value)) {
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_RULE",
      `${name} is in the format of landlockconfig, which learn does not write: give another name`,
    );
  }
  const already = new Coverage();
  for (const rule of rules) already.add(rule);
  const { unrestricted = [], variables = {} } = value;
  return { path, text, already, abi: config.abi, unrestricted, variables };
}
