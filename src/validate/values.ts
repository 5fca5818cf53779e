/**
 * Predicates for single values, which the schemas use too. The rule constructors try them first
 * because evaluating zod would cost every script a third of its start-up time. The published bundle
 * only evaluates zod if a value fails or needs more checks.
 */
import { LandlockError, printableLines } from "../errors/errors.ts";
import { newestAbi } from "../kernel/abi.ts";

/** A path from a user: a string, or a `file:` URL. */
export type PathLike = string | FileUrl;

/** `URL`, if the project's types define it. */
type FileUrl = typeof globalThis extends { URL: { prototype: infer Url } } ? Url : never;

/** Any object except a function. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

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

const inspect = Symbol.for("nodejs.util.inspect.custom");

/** Prints everything at any depth. Bun would stop at the third level. */
function inspectAll(this: object): string {
  return printableLines(Bun.inspect({ ...this }, { depth: Infinity }));
}

/**
 * Sets a class's name explicitly, because minified bundles rename classes. Errors of its methods
 * show the line that called them.
 */
export function publicClass(type: { readonly prototype: object }, name: string): void {
  Object.defineProperty(type, "name", { value: name });
  for (const key of Object.getOwnPropertyNames(type.prototype)) {
    const { value: method, ...kept } = Object.getOwnPropertyDescriptor(type.prototype, key)!;
    if (key === "constructor" || typeof method !== "function") continue;
    const value = function (this: unknown, ...values: unknown[]): unknown {
      return atCaller(value, () => Reflect.apply(method, this, values));
    };
    Object.defineProperty(type.prototype, key, { ...kept, value });
  }
}

/** Data with methods. Printing it shows the class's name and all fields, but no methods. */
export abstract class PlainData {
  static {
    Object.defineProperty(this.prototype, inspect, {
      value(this: PlainData) {
        return `${this.constructor.name} ${inspectAll.call(this)}`;
      },
    });
  }
}

/** Freezes data at any depth and makes printing show all of it. */
export function plainData<Data extends object>(data: Data): Readonly<Data> {
  return freezeAll(Object.defineProperty(data, inspect, { value: inspectAll }));
}

function freezeAll<Value extends object>(value: Value): Readonly<Value> {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null && !Object.isFrozen(part)) freezeAll(part);
  }
  return Object.freeze(value);
}

/**
 * Marks data that this library made itself. Constructors check all other data, because any caller
 * can reach them.
 */
export const trusted = Symbol("trusted");

/**
 * Runs the body of a public function. Errors then show the line that called the function: Bun
 * prints the code around the first frame, which would be minified code of this package.
 *
 * @param caller The function or class; only `body` may throw
 */
export function atCaller<Result>(caller: Function, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (error instanceof LandlockError) showCaller(error, caller);
    throw error;
  }
}

function showCaller(error: Error, caller: Function): void {
  if (!Object.isExtensible(error)) return;
  Error.captureStackTrace(error, caller);
  // If a function ends in a tail call, it is no longer on the stack.
  if (!error.stack?.includes("\n    at ")) Error.captureStackTrace(error, atCaller);
  if (error.cause instanceof Error) showCaller(error.cause, caller);
}
