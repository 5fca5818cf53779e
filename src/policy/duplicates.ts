/** Keys that stand twice in JSON: parsers keep the last one, and people read the first. */

/** A comment ends where a line of JavaScript does: at CR, U+2028 and U+2029 too. */
const tokens =
  /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\/\/[^\n\r\u2028\u2029]*|\/\*[^]*?\*\/|[{}[\],:]/g;

/** An object or list that is open, and where in it the text is. */
interface Open {
  /** Keys so far; a list has none. */
  readonly keys?: Set<string>;
  at: string | number;
}

/**
 * Finds each key that its object has already, in text that was parsed before.
 *
 * @param text JSON, with comments or without
 * @returns The path of each such key, as `["landlock", "paths", 0, "access"]`; an empty one for text
 *   that follows the value
 */
export function* duplicateKeys(text: string): Generator<(string | number)[], void> {
  const open: Open[] = [];
  let last = "";
  let closed = false;
  for (const [token] of text.matchAll(tokens)) {
    const inside = open.at(-1);
    // What follows the whole value is not read at all.
    if (!inside && closed && /^[{["',:]/.test(token)) yield [];
    if (token === "{") open.push({ keys: new Set(), at: "" });
    else if (token === "[") open.push({ at: 0 });
    else if (token === "}" || token === "]") closed = open.pop() !== undefined && open.length === 0;
    else if (token === "," && typeof inside?.at === "number") inside.at++;
    else if (token === ":" && inside?.keys) {
      const key = Bun.JSONC.parse(last) as string;
      inside.at = key;
      if (inside.keys.has(key)) yield open.map(({ at }) => at);
      inside.keys.add(key);
    } else if (/^["']/.test(token)) last = token;
  }
}
