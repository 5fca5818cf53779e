/** Building blocks of schemas: values, lists and objects whose errors name the value and a fix. */
import * as z from "zod/mini";
import { instead } from "../../errors/closest.ts";
import { accessFs, accessNet, newestAbi, scopes } from "../../kernel/abi.ts";
import { isAbi, isPathString, isPort } from "../values.ts";

/** Creates a schema on first use, because making one takes longer than using it. */
export function once<Schema>(make: () => Schema): () => Schema {
  let made: Schema | undefined;
  return () => (made ??= make());
}

/** A value as one short line for a message. */
export function shown(value: unknown): string {
  const text = inspected(value).replaceAll(/\s+/g, " ");
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

function inspected(value: unknown): string {
  try {
    return typeof value === "string" ? JSON.stringify(value) : Bun.inspect(value);
  } catch {
    return "a value that cannot be shown";
  }
}

/** Makes an error message that names the value and a fix. */
export function is(what: string, fix: string) {
  return { error: (issue: { input?: unknown }) => `${shown(issue.input)} is not ${what}: ${fix}` };
}

const list = is("a list", "give an array");

/** A list of anything. */
export function listOf<Item extends z.core.$ZodType>(item: Item) {
  return z.array(item, list);
}

/** A list with at least one item. */
export function filled<Item extends z.core.$ZodType>(item: Item) {
  return listOf(item).check(z.minLength(1, is("a list of one or more", "put something in it")));
}

/** A list without duplicates. */
export function distinct<Item extends z.core.$ZodType>(item: Item) {
  return listOf(item).check(
    z.refine((items) => new Set(items).size === items.length, is("a set", "name nothing twice")),
  );
}

/** A name from a list of names. */
export function oneOf<const Names extends readonly string[]>(names: Names, what: string) {
  return z.enum(names, {
    error: ({ input }) => `${shown(input)} is not ${what}: ${instead(input, names, "use some of")}`,
  });
}

/** An object with no other keys than these. */
export function object<Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `${issue.keys.map(shown).join(", ")} is unknown: ${instead(issue.keys[0], known)}`
        : `${shown(issue.input)} is not an object: give one with ${known.join(", ")}`,
  });
}

/** Optional keys that share a schema. */
export function optional<const Key extends string, Schema extends z.core.$ZodType>(
  keys: readonly Key[],
  schema: Schema,
) {
  const entries = keys.map((key) => [key, z.optional(schema)] as const);
  return Object.fromEntries(entries) as Record<Key, z.ZodMiniOptional<Schema>>;
}

/** What to do if a path doesn't exist. */
export function onMissing(what: string) {
  return z.enum(["fail", "skip", "create"], is(what, 'use "fail", "skip" or "create"'));
}

/** A path in data. */
export const pathString = z.custom<string>(
  isPathString,
  is("a path", "give a non-empty string without NUL"),
);
/** A TCP or UDP port. */
export const port = z.custom<number>(isPort, is("a port", "give an integer from 0 to 65535"));
/** A Landlock ABI that this library knows. */
export const abi = z.custom<number>(
  isAbi,
  is("a Landlock ABI", `give an integer from 1 to ${newestAbi}`),
);
/** Names from `accessFs`. */
export const fsRights = distinct(oneOf(accessFs, "a filesystem right"));
/** Names from `accessNet`. */
export const netRights = distinct(oneOf(accessNet, "a network right"));
/** Names from `scopes`. */
export const scopeNames = distinct(oneOf(scopes, "a scope"));

const isText = is("a value", "give a non-empty string without NUL");
/** Non-empty text without NUL. */
export const text = z.string(isText).check(z.refine(isPathString, isText));
/** The name of a variable in a policy. */
export const variableName = /^[A-Za-z][A-Za-z0-9_]*$/;

/** The lowest ABI that best effort accepts, or whether it accepts no enforcement at all. */
export const bestEffortOptions = once(() =>
  object({
    atLeast: z.optional(abi),
    allowNone: z.optional(z.boolean(is("a setting", "use true or false"))),
  }).check(
    z.refine(
      ({ atLeast, allowNone }) => atLeast === undefined || allowNone !== true,
      is("best effort", "atLeast and allowNone contradict each other, give one of the two"),
    ),
  ),
);
