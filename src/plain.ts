import { printableLines } from "./errors.ts";

const inspect = Symbol.for("nodejs.util.inspect.custom");

/** Everything in it, however deep: printing stops at the third level otherwise. */
function inspectAll(this: object): string {
  return printableLines(Bun.inspect({ ...this }, { depth: Infinity }));
}

/** Data with methods: printing it shows all its fields and not the methods. */
export abstract class PlainData {
  static {
    Object.defineProperty(this.prototype, inspect, { value: inspectAll });
  }
}

/** The same data, frozen, of which printing shows all. */
export function plainData<Data extends object>(data: Data): Readonly<Data> {
  return Object.freeze(Object.defineProperty(data, inspect, { value: inspectAll }));
}
