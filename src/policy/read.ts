/**
 * From what a policy says to a Config and rules. In the published bundle this and all it needs of
 * this folder is evaluated on first use: see `src/build/main.ts`.
 */
import { LandlockError } from "../errors/errors.ts";
import { parentOf } from "../kernel/names.ts";
import { parse } from "../validate/parse.ts";
import { readSource, sourceOf, type Source } from "./file.ts";
import { isLandlockConfig, readLandlockConfig } from "./landlockconfig.ts";
import { readPolicy, type Meaning } from "./own.ts";
import { fromHere } from "./paths.ts";

/** A policy, and where it comes from: for messages. */
export interface Read extends Meaning {
  readonly source: string;
}

/**
 * Reads a policy out of data.
 *
 * @param base The folder that relative paths belong to
 * @param source The data, for messages
 * @param abi In place of the one the policy names
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` naming the key that is wrong
 */
export function readValue(value: unknown, base: string, source: string, abi?: number): Read {
  const complain = (place: string, message: string, cause?: LandlockError) =>
    new LandlockError(
      cause?.code ?? "ERR_LANDLOCK_INVALID_RULE",
      `${source}: ${place}: ${message}`,
      {
        ...(cause?.path === undefined ? {} : { path: cause.path }),
        ...(cause === undefined ? {} : { cause }),
      },
    );
  const folder = fromHere(base);
  const changes = abi === undefined ? {} : { abi };
  const meaning = isLandlockConfig(value)
    ? readLandlockConfig(
        { ...parse("landlockConfig", value, source), ...changes },
        folder,
        complain,
      )
    : readPolicy({ ...parse("policy", value, source), ...changes }, folder, complain);
  return { ...meaning, source };
}

interface Settings {
  readonly abi?: number | undefined;
  readonly ifForeign?: string;
}

/**
 * Reads a policy out of its file.
 *
 * @param settings `abi`: in place of the one the file names; `ifForeign`: as for `readSource()`
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where it cannot be read, or is refused,
 *   `ERR_LANDLOCK_INVALID_RULE` where it cannot be parsed or naming the key that is wrong
 */
export function readFile(path: string, settings: Settings = {}): Read {
  return ofSource(readSource(path, settings.ifForeign), settings.abi);
}

/**
 * Reads a policy out of a text, as if it was in a file.
 *
 * @param path The file, absolute
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` as `readFile()`
 */
export function readText(text: string, path: string): Read {
  return ofSource(sourceOf(text, path));
}

function ofSource({ value, path, name }: Source, abi?: number): Read {
  return readValue(value, parentOf(path), name, abi);
}

/** Whether a policy is in this library's own format, and not in that of the Landlock project. */
export function isOwnFormat(value: unknown): boolean {
  return !isLandlockConfig(value);
}
