/**
 * Predicates for single values, which the schemas use too. The rule constructors try them first
 * because evaluating zod would cost every script a third of its start-up time. The published bundle
 * only evaluates zod if a value fails or needs more checks.
 */
import { newestAbi } from "../kernel/abi.ts";

/** A path from a user: a string, or a `file:` URL. */
export type PathLike = string | FileUrl;

/** `URL`, if the project's types define it. */
type FileUrl = typeof globalThis extends { URL: { prototype: infer Url } } ? Url : never;

/** A non-empty string without NUL that UTF-8 can hold. */
export function isPathString(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !value.includes("\0") && value.isWellFormed();
}

/** A local `file:` URL that decodes to a path without NUL or an encoded slash. */
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
 * Copies a list of different names out of `known`, or returns undefined if it isn't one. It doesn't
 * call the value's own methods, which a subclass may change.
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
