/** Policies as TOML that people read: lists line by line, a word on what each is for. */
import { printable, tomlString } from "../errors/errors.ts";
import { capitalized, nameFor, pathRules, portKeys, portRules } from "../vocabulary.ts";
import { textKeys, type Content, type Entry } from "./content.ts";

/** What a list grants, for those who do not know it by heart. */
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

/** Longer lists go line by line. */
const columnsMax = 100;

/** A key and its list. */
function listText(key: string, items: readonly (string | number)[]): string {
  const line = `${key} = [${items.map(value).join(", ")}]`;
  if (line.length <= columnsMax && (items.length < 3 || typeof items[0] === "number")) return line;
  return `${key} = [\n${items.map((item) => `  ${value(item)},\n`).join("")}]`;
}

/** All lists of a policy, those of paths with rights of their own aside. */
export function lists(content: Content): [key: string, items: readonly (string | number)[]][] {
  const texts = textKeys.filter((key) => key !== "unrestricted");
  const keys: readonly string[] = [...texts, ...portKeys, "unrestricted"];
  const all = new Map<string, readonly (string | number)[]>([...content.texts, ...content.ports]);
  return keys.flatMap((key) => {
    const items = all.get(key);
    return items ? [[key, items]] : [];
  });
}

/** A list with the word on what it is for. */
export function section(key: string, items: readonly (string | number)[]): string {
  return `# ${commentOn(key)}\n${listText(key, items)}\n`;
}

/** A variable, as a line of its table. */
export function variableText(name: string, source: string | { readonly env: string }): string {
  const text = typeof source === "string" ? value(source) : `{ env = ${value(source.env)} }`;
  return `${name} = ${text}\n`;
}

const missingComments = {
  create: "made before the command runs, which may empty it by rm -rf DIR/*, not remove it",
  skip: "left out if it is missing, for it may not be made there",
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

/** A whole policy; comments stand for what is between its parts. */
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

/** Lines as comments: whatever names are in them, each stays one line. */
export function commented(lines: readonly string[]): string {
  return lines.map((line) => `# ${printable(line)}`.trimEnd().concat("\n")).join("");
}
