/** Parses arguments of system calls as strace(1) prints them. */
import { nameOf } from "../kernel/names.ts";

/** An argument or a result. */
export type Value =
  /**
   * `"text"`. `abstract` marks `@"name"` of a UNIX socket, and `cut` a text that strace shortened.
   */
  | {
      readonly type: "text";
      readonly text: string;
      readonly abstract: boolean;
      readonly cut?: true;
    }
  /** A number, flags, a constant, or a descriptor with its file: `3</etc/passwd>`. */
  | { readonly type: "word"; readonly word: string; readonly on?: Target }
  /** `{name=value, ...}`, `[value, ...]` or `function(value, ...)`. */
  | {
      readonly type: "group";
      readonly name: string;
      readonly items: readonly Value[];
      readonly fields: ReadonlyMap<string, Value>;
    };

/** The file that a descriptor refers to. */
export interface Target {
  /**
   * A path, or the kernel's name for something else, such as `pipe:[1]` or `TCP:[127.0.0.1:80]`.
   */
  readonly name: string;
  /** Set for a device. */
  readonly device?: "char" | "block";
  /** Set if the name that opened the file no longer leads to it. */
  readonly deleted?: true;
}

/** Reads one value after another. */
export class Values {
  readonly #text: string;
  at: number;

  /** @param at The index to start at */
  constructor(text: string, at = 0) {
    this.#text = text;
    this.at = at;
  }

  /** Reads values up to and including a closing bracket, or to the end of truncated text. */
  list(close: string): { items: Value[]; fields: Map<string, Value> } {
    const items: Value[] = [];
    const fields = new Map<string, Value>();
    while (this.at < this.#text.length) {
      this.#skip(/[\s,]*/y);
      if (this.#text[this.at] === close) {
        this.at++;
        break;
      }
      const start = this.at;
      const name = this.#skip(/[A-Za-z_]\w*=/y)?.slice(0, -1);
      const value = this.next();
      if (name !== undefined) fields.set(name, value);
      items.push(value);
      // Guarantees progress on unexpected output.
      if (this.at === start) this.at++;
    }
    return { items, fields };
  }

  /** Reads the value at the current position. */
  next(): Value {
    const first = this.#text[this.at];
    if (first === '"') return this.#quoted(false);
    if (first === "@" && this.#text[this.at + 1] === '"') {
      this.at++;
      return this.#quoted(true);
    }
    if (first === "{" || first === "[") return this.#group("", first === "{" ? "}" : "]");
    const printed = this.#skip(/(?:\/\*.*?\*\/|=>|[^,<>(){}[\]"])*/y) ?? "";
    const word = printed.replaceAll(/\/\*.*?\*\//g, "").trim();
    if (this.#text[this.at] === "(") return this.#group(word, ")");
    if (this.#text[this.at] !== "<") return { type: "word", word };
    return { type: "word", word, on: this.#target() };
  }

  #skip(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  #group(name: string, close: string): Value {
    this.at++;
    return { type: "group", name, ...this.list(close) };
  }

  #quoted(abstract: boolean): Value {
    const pattern = /"((?:[^"\\]|\\.)*)("?)(\.\.\.)?/sy;
    pattern.lastIndex = this.at;
    const [all, text, end, more] = pattern.exec(this.#text)!;
    this.at += all.length;
    const isCut = end === "" || more !== undefined;
    return { type: "text", text: unescape(text!), abstract, ...(isCut ? { cut: true } : {}) };
  }

  /**
   * Reads `<path>`, `<path<char 1:3>>` or `<TCP:[1.2.3.4:5->6.7.8.9:10]>`. Brackets in a path are
   * escaped. In other names, such as `pipe:[1]`, they are balanced.
   */
  #target(): Target {
    const pattern =
      /<((?:[^<>[\]]|\[(?:[^[\]]|\[[^[\]]*\])*\])*)(?:<(char|block) [^<>]*>)?(>?)(\(deleted\))?/y;
    pattern.lastIndex = this.at;
    const [all, name, device, , deleted] = pattern.exec(this.#text)!;
    this.at += all.length;
    return {
      name: unescape(name!),
      ...(device === undefined ? {} : { device: device as "char" | "block" }),
      ...(deleted === undefined ? {} : { deleted: true }),
    };
  }
}

const named: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  e: 27,
};

/** Decodes C escapes (octal, `\\x` and letters) to a name. */
export function unescape(text: string): string {
  if (!text.includes("\\")) return text;
  // The format of strace -xx, which escapes every byte.
  if (/^(?:\\x[0-9a-f]{2})*$/.test(text)) {
    return nameOf(Buffer.from(text.replaceAll("\\x", ""), "hex"));
  }
  const bytes: number[] = [];
  const pattern = /\\x([0-9a-f]{2})|\\([0-7]{1,3})|\\(.)|[^\\]+|\\/gis;
  for (const [all, hex, octal, letter] of text.matchAll(pattern)) {
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else if (letter !== undefined && letter in named) bytes.push(named[letter]!);
    else bytes.push(...Buffer.from(letter ?? all));
  }
  return nameOf(Uint8Array.from(bytes));
}
