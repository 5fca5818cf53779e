import { atCaller, printableLines } from "../errors/errors.ts";

const inspect = Symbol.for("nodejs.util.inspect.custom");

/** Everything in it, however deep: printing stops at the third level otherwise. */
function inspectAll(this: object): string {
  return printableLines(Bun.inspect({ ...this }, { depth: Infinity }));
}

/**
 * Gives a class its name by hand, since minified bundles, ours and those made of it, rename
 * classes. Errors of its methods show the line that called them.
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

/** Data with methods: printing it shows the name of its class and all its fields, not the methods. */
export abstract class PlainData {
  static {
    Object.defineProperty(this.prototype, inspect, {
      value(this: PlainData) {
        return `${this.constructor.name} ${inspectAll.call(this)}`;
      },
    });
  }
}

/** The same data, frozen, of which printing shows all. */
export function plainData<Data extends object>(data: Data): Readonly<Data> {
  return Object.freeze(Object.defineProperty(data, inspect, { value: inspectAll }));
}

/**
 * Says that a constructor's data comes from this library. Without it the data is a caller's, who
 * has the constructor as everybody has: it is checked then.
 */
export const trusted = Symbol("trusted");
