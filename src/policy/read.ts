/** Turns a policy into a Config and rules. */
import { errorFor, LandlockError } from "../errors/errors.ts";
import { notationOf, type PolicyNotation } from "../errors/hints.ts";
import { parentOf } from "../kernel/names.ts";
import { parse } from "../validate/parse.ts";
import { readSource, sourceOf, type Source } from "./file.ts";
import { isLandlockConfig, readLandlockConfig } from "./landlockconfig.ts";
import { readPolicy, type ConfigAndRules } from "./own.ts";
import { fromHere } from "./paths.ts";

/** A policy, and how messages name and quote it. */
export interface Read extends ConfigAndRules {
  readonly source: string;
  readonly notation: PolicyNotation;
}

/**
 * Reads a policy from data.
 *
 * @param base The folder that relative paths start from
 * @param source Where the data came from, for messages
 * @param notation How it is written there
 * @param abi Replaces the policy's own abi
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_POLICY` naming the invalid key
 */
export function readValue(
  value: unknown,
  base: string,
  source: string,
  notation: PolicyNotation = "key",
  abi?: number,
): Read {
  const complaint = (place: string, problem: string | LandlockError) => {
    const details = { surface: notation, source: `${source}: ${place}` };
    return typeof problem === "string"
      ? new LandlockError("ERR_LANDLOCK_INVALID_POLICY", problem, details)
      : errorFor(problem, details.surface, details.source);
  };
  const complain = Object.assign(complaint, { notation });
  const folder = fromHere(base);
  const changes = abi === undefined ? {} : { abi };
  const read = isLandlockConfig(value)
    ? readLandlockConfig(
        { ...parse("landlockConfig", value, { policy: source }), ...changes },
        folder,
        complain,
      )
    : readPolicy({ ...parse("policy", value, { policy: source }), ...changes }, folder, complain);
  return { ...read, source, notation };
}

interface Settings {
  readonly abi?: number | undefined;
  readonly ifForeign?: string;
}

/**
 * Reads a policy from its file.
 *
 * @param settings `abi`: replaces the policy's own abi; `ifForeign`: as in `readSource()`
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if it can't be read or is refused;
 *   `ERR_LANDLOCK_INVALID_POLICY` if it can't be parsed, or naming the invalid key
 */
export function readFile(path: string, settings: Settings = {}): Read {
  return ofSource(readSource(path, settings.ifForeign), settings.abi);
}

/**
 * Reads a policy from text, as if the text were in a file.
 *
 * @param path The file's absolute path
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_POLICY` as in `readFile()`
 */
export function readText(text: string, path: string): Read {
  return ofSource(sourceOf(text, path));
}

function ofSource({ value, path, name }: Source, abi?: number): Read {
  return readValue(value, parentOf(path), name, notationOf(path), abi);
}

/** Whether a policy is in this library's own format instead of the Landlock project's. */
export function isOwnFormat(value: unknown): boolean {
  return !isLandlockConfig(value);
}
