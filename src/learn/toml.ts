/** Formats policies as readable TOML: lists with one item a line, and a comment on each list. */
import { printable, tomlString } from "../errors/errors.ts";
import { capitalized, nameFor, pathRules, portKeys, portRules } from "../vocabulary.ts";
import { textKeys, type Content, type Entry } from "./content.ts";

/** A comment that explains what a list grants. */
function commentOn(key: string): string {
  if (key === "presets") return "What programs need to start and to run";
  if (key === "unrestricted") return "Not restricted; scoped is signals and abstract UNIX sockets";
  const name = nameFor(pathRules, "key", key);
  return capitalized(name ? pathRules[name].about : portRules[key as keyof typeof portRules].about);
}

/** An item of a list. */
export function value(item: string | number): string {
  return typeof item === "number" ? `${item}` : tomlString(item);
}

/** Longer lists have one item a line. */
const columnsMax = 100;

/** A key and its list. */
function listText(key: string, items: readonly (string | number)[]): string {
  const line = `${key} = [${items.map(value).join(", ")}]`;
  if (line.length <= columnsMax && (items.length < 3 || typeof items[0] === "number")) return line;
  return `${key} = [\n${items.map((item) => `  ${value(item)},\n`).join("")}]`;
}

/** All lists of a policy, except paths with their own rights. */
export function lists(content: Content): [key: string, items: readonly (string | number)[]][] {
  const texts = textKeys.filter((key) => key !== "unrestricted");
  const keys: readonly string[] = [...texts, ...portKeys, "unrestricted"];
  const all = new Map<string, readonly (string | number)[]>([...content.texts, ...content.ports]);
  return keys.flatMap((key) => {
    const items = all.get(key);
    return items ? [[key, items]] : [];
  });
}

/** A list with its comment. */
export function section(key: string, items: readonly (string | number)[]): string {
  return `# ${commentOn(key)}\n${listText(key, items)}\n`;
}

/** A variable as a line of its table. */
export function variableText(name: string, source: string | { readonly env: string }): string {
  const text = typeof source === "string" ? value(source) : `{ env = ${value(source.env)} }`;
  return `${name} = ${text}\n`;
}

const missingComments = {
  create: "made before the command runs, which may empty it with rm -rf DIR/*, but not remove it",
  skip: "skipped if it is missing, because it may not be made there",
};

/** An entry of the list `paths`. */
export function entryText({ access, refer, ifMissing, paths }: Entry): string {
  const rights =
    typeof access === "string" ? `access = ${value(access)}` : listText("access", access);
  const move = refer ? "refer = true # renaming and linking between directories\n" : "";
  const missing = ifMissing
    ? `ifMissing = ${value(ifMissing)} # ${missingComments[ifMissing]}\n`
    : "";
  return `[[paths]]\n${rights}\n${move}${missing}${listText("paths", paths)}\n`;
}

/** A whole policy, with comments at its start and end. */
export function policyText(
  header: readonly string[],
  content: Content,
  end: readonly string[],
): string {
  const variables = [...content.variables].map(([name, source]) => variableText(name, source));
  const parts = [
    `${commented(header)}bestEffort = true\n`,
    ...lists(content).map(([key, items]) => section(key, items)),
    ...(variables.length > 0 ? [`[variables]\n${variables.join("")}`] : []),
    ...content.paths.map(entryText),
    ...(end.length > 0 ? [commented(end)] : []),
  ];
  return parts.join("\n");
}

/** Lines as comments. Escaping keeps each on one line, whatever names it contains. */
export function commented(lines: readonly string[]): string {
  return lines.map((line) => `# ${printable(line)}`.trimEnd().concat("\n")).join("");
}
