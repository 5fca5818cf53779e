/**
 * What a single value has to look like. The schemas are made of these predicates, and the rule
 * constructors ask them first: in the published bundle zod is evaluated only when a value fails
 * or needs more than that, for it would cost every script a third of its start-up time.
 */
import { newestAbi } from "../kernel/abi.ts";

/** A path as users may write it: a string, or a `file:` URL. */
export type PathLike = string | FileUrl;

/** `URL`, if the types of the project know it. */
type FileUrl = typeof globalThis extends { URL: { prototype: infer Url } } ? Url : never;

/** A non-empty string without NUL that UTF-8 can hold. */
export function isPathString(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !value.includes("\0") && value.isWellFormed();
}

/** A `file:` URL of this machine, which decodes to a path without NUL or an encoded slash. */
export function isFileUrl(value: unknown): value is FileUrl {
  if (!(value instanceof URL) || value.protocol !== "file:" || value.host !== "") return false;
  try {
    return isPathString(decodeURIComponent(value.pathname)) && !/%2f/i.test(value.pathname);
  } catch {
    return false;
  }
}

/** A TCP or UDP port: an integer from 0 to 65535. */
export function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65535;
}

/** A Landlock ABI that this library knows. */
export function isAbi(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= newestAbi;
}

/**
 * A plain copy of a list of different names out of `known`, or undefined if it is none. The methods
 * of the value itself, which may be of a subclass, are not asked.
 */
export function listOf<Name extends string>(
  value: unknown,
  known: readonly Name[],
): Name[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const names: Name[] = [];
  for (let i = 0; i < value.length; i++) {
    const name = value[i] as Name;
    if (!known.includes(name) || names.includes(name)) return undefined;
    names.push(name);
  }
  return names;
}
