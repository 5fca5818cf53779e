/** Data with methods: printing it shows its fields and not the methods. */
export abstract class PlainData {
  /** @internal What `console.log()` and `Bun.inspect()` show. */
  [Symbol.for("nodejs.util.inspect.custom")](): object {
    return { ...this };
  }
}
