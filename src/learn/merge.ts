/**
 * Extends the text of a policy. What a person wrote stays unchanged, including comments, order and
 * spacing.
 */
import { LandlockError } from "../errors/errors.ts";
import type { Content } from "./content.ts";
import { commented, entryText, lists, section, value, variableText } from "./toml.ts";

/**
 * Adds content to a policy.
 *
 * @param text The policy's TOML, which was parsed without an error
 * @param end Lines for a comment at its end
 * @param name The file, for messages
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_POLICY` if the text's layout can't be extended, with
 *   all that would have to be added
 */
export function extended(
  text: string,
  content: Content,
  end: readonly string[],
  name: string,
): string {
  let next = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  for (const [key, items] of lists(content)) {
    next = intoList(next, key, items.map(value)) ?? beforeTables(next, section(key, items));
  }
  if (content.variables.size > 0) {
    const lines = [...content.variables].map(([key, source]) => variableText(key, source)).join("");
    next = intoTable(next, "variables", lines) ?? `${next}\n[variables]\n${lines}`;
  }
  next += content.paths.map((entry) => `\n${entryText(entry)}`).join("");
  if (end.length > 0) next += `\n${commented(end)}`;
  if (!says(next, text, content)) throw cannot(name, content);
  return next;
}

/** The positions in a text outside of comments and strings. */
function* plain(text: string, from: number): Generator<number> {
  for (let at = from; at < text.length; at++) {
    const rest = /#[^\n]*|"""[^]*?"""|'''[^]*?'''|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y;
    rest.lastIndex = at;
    const skipped = rest.exec(text);
    if (skipped) at = rest.lastIndex - 1;
    else yield at;
  }
}

/** The start of the first table. The text before it contains the policy's own keys. */
function tablesAt(text: string): number {
  let depth = 0;
  for (const at of plain(text, 0)) {
    if (text[at] === "[" && depth++ === 0 && /(^|\n)[ \t]*$/.test(text.slice(0, at))) return at;
    if (text[at] === "]") depth--;
  }
  return text.length;
}

/** The text with words added to a list, or undefined if there is no such list. */
function intoList(text: string, key: string, words: readonly string[]): string | undefined {
  const top = text.slice(0, tablesAt(text));
  const head = new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*\\[`, "m").exec(top);
  if (!head) return undefined;
  const start = head.index + head[0].length;
  let last = start - 1;
  let depth = 1;
  let closes = -1;
  for (const at of plain(text, start)) {
    if (text[at] === "[") depth++;
    if (text[at] === "]" && --depth === 0) {
      closes = at;
      break;
    }
  }
  if (closes < 0) return undefined;
  last = lastItem(text, start, closes);
  const isEmpty = last < start;
  const comma = isEmpty || text[last] === "," ? "" : ",";
  const before = text.slice(0, last + 1) + comma;
  const between = text.slice(last + 1, closes);
  if (!text.slice(start, closes).includes("\n")) {
    const space = isEmpty ? "" : " ";
    return `${before}${space}${words.join(", ")}${isEmpty ? "" : between}${text.slice(closes)}`;
  }
  const indent = /\n([ \t]+)\S/.exec(text.slice(start, closes))?.[1] ?? "  ";
  const rest = between.endsWith("\n")
    ? between
    : between.replace(/[ \t]*$/, "\n").replace(/\n+$/, "\n");
  return `${before}${rest}${words.map((word) => `${indent}${word},\n`).join("")}${text.slice(closes)}`;
}

/** The end of the last item of a list, including its comma. */
function lastItem(text: string, start: number, closes: number): number {
  let last = start - 1;
  for (let at = start; at < closes; at++) {
    const skip = /#[^\n]*|\s+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s"'#]/y;
    skip.lastIndex = at;
    const [found] = skip.exec(text)!;
    at = skip.lastIndex - 1;
    if (!found.startsWith("#") && found.trim() !== "") last = at;
  }
  return last;
}

/** The text with a section before its first table and the comment of that table. */
function beforeTables(text: string, added: string): string {
  const at = tablesAt(text);
  const head = text.slice(0, at).replace(/(\n[ \t]*#[^\n]*)*\n[ \t]*$/, "\n");
  const tail = text.slice(head.length);
  const gap = head === "" || head.endsWith("\n\n") ? "" : "\n";
  return `${head}${gap}${added}${tail === "" || tail.startsWith("\n") ? tail : `\n${tail}`}`;
}

/** The text with lines at the end of a table, or undefined if there is no such table. */
function intoTable(text: string, table: string, lines: string): string | undefined {
  const head = new RegExp(`^[ \\t]*\\[[ \\t]*${table}[ \\t]*\\][^\\n]*\\n`, "m").exec(text);
  if (!head) return undefined;
  const start = head.index + head[0].length;
  const length = tablesAt(text.slice(start));
  const body = text.slice(start, start + length).replace(/(\n[ \t]*(#[^\n]*)?)*$/, "\n");
  const kept = body.trim() === "" ? "" : body;
  return text.slice(0, start) + kept + lines + text.slice(start + kept.length);
}

type Data = Record<string, unknown>;

/** Whether the new text means the old one plus the content. */
function says(next: string, text: string, content: Content): boolean {
  let found: Data;
  try {
    found = Bun.TOML.parse(next) as Data;
  } catch {
    return false;
  }
  const wanted = structuredClone(Bun.TOML.parse(text)) as Data;
  const append = (key: string, items: readonly unknown[]) => {
    wanted[key] = [...((wanted[key] as unknown[] | undefined) ?? []), ...items];
  };
  for (const [key, items] of lists(content)) append(key, items);
  if (content.paths.length > 0) append("paths", content.paths);
  if (content.variables.size > 0) {
    const known = (wanted["variables"] as Data | undefined) ?? {};
    wanted["variables"] = { ...known, ...Object.fromEntries(content.variables) };
  }
  return Bun.deepEquals(found, wanted);
}

function cannot(name: string, content: Content): LandlockError {
  const all = [
    ...lists(content).map(([key, items]) => section(key, items)),
    ...[...content.variables].map(([key, source]) => `variables.${variableText(key, source)}`),
    ...content.paths.map(entryText),
  ];
  return new LandlockError(
    "ERR_LANDLOCK_INVALID_POLICY",
    `Cannot extend ${name}: its lists have an unusual layout; add this by hand, or learn into another file\n\n${all.join("\n")}`,
  );
}
