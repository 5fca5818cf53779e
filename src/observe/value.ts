/** Arguments of system calls as strace(1) prints them, from text to data. */

/** A value among the arguments, or a result. */
export type Value =
  /** `"text"`; `abstract`: the `@"name"` of a UNIX socket. */
  | { readonly type: "text"; readonly text: string; readonly abstract: boolean }
  /** A number, flags, a constant, or a descriptor with what it is open on: `3</etc/passwd>`. */
  | { readonly type: "word"; readonly word: string; readonly on?: Target }
  /** `{name=value, ...}`, `[value, ...]` or `function(value, ...)`. */
  | {
      readonly type: "group";
      readonly name: string;
      readonly items: readonly Value[];
      readonly fields: ReadonlyMap<string, Value>;
    };

/** What a descriptor is open on. */
export interface Target {
  /** A path, or what the kernel shows in place of one, as `pipe:[1]` or `TCP:[127.0.0.1:80]`. */
  readonly name: string;
  /** `char` or `block` for a device. */
  readonly device?: "char" | "block";
}

/** Reads one value after the other. */
export class Values {
  readonly #text: string;
  at: number;

  /** @param at Where to start */
  constructor(text: string, at = 0) {
    this.#text = text;
    this.at = at;
  }

  /**
   * The values up to a closing bracket, which is passed over, or to the end of a text that was cut
   * off.
   */
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
      // Whatever strace may print, this ends.
      if (this.at === start) this.at++;
    }
    return { items, fields };
  }

  /** The value that starts here. */
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
    const quoted = this.#skip(/"((?:[^"\\]|\\.)*)("?)(\.\.\.)?/sy) ?? "";
    const end = quoted.replace(/\.\.\.$/, "").replace(/"$/, "");
    return { type: "text", text: unescape(end.slice(1)), abstract };
  }

  /** `<path>`, `<path<char 1:3>>`, `<TCP:[1.2.3.4:5->6.7.8.9:10]>`; a `>` of a path is escaped. */
  #target(): Target {
    const start = this.at + 1;
    let depth = 0;
    for (; this.at < this.#text.length; this.at++) {
      const now = this.#text[this.at];
      if (now === "<") depth++;
      else if (now === ">" && this.#text[this.at - 1] !== "-") depth--;
      if (depth === 0) break;
    }
    const inner = this.#text.slice(start, this.at++);
    this.#skip(/\(deleted\)/y);
    const [, name, device] = /^(.*?)(?:<(char|block) .*>)?$/s.exec(inner)!;
    return {
      name: unescape(name!),
      ...(device === undefined ? {} : { device: device as "char" | "block" }),
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

/** Undoes the escapes of C: octal, `\x` and a letter. What they stand for are bytes of UTF-8. */
export function unescape(text: string): string {
  if (!text.includes("\\")) return text;
  const bytes: number[] = [];
  const pattern = /\\x([0-9a-f]{2})|\\([0-7]{1,3})|\\(.)|[^\\]+|\\/gis;
  for (const [all, hex, octal, letter] of text.matchAll(pattern)) {
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else if (letter !== undefined && letter in named) bytes.push(named[letter]!);
    else bytes.push(...Buffer.from(letter ?? all));
  }
  return Buffer.from(bytes).toString("utf8");
}
