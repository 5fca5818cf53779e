import { atCaller, printableLines } from "../errors/errors.ts";

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

/** Freezes data and makes printing show all of it. */
export function plainData<Data extends object>(data: Data): Readonly<Data> {
  return Object.freeze(Object.defineProperty(data, inspect, { value: inspectAll }));
}

/**
 * Marks data that this library made itself. Constructors check all other data, because any caller
 * can reach them.
 */
export const trusted = Symbol("trusted");
