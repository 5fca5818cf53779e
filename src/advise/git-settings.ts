/** Finds the files that git's settings name and that git runs or reads as settings. */
import { nameOf, parentOf } from "../kernel/names.ts";
import { contentOf, statsOf } from "./stats.ts";

/** Git's limit on files that include each other. */
const includesMax = 10;

/** Settings that name files, whether these exist or not. */
const files = /^(core\.(hookspath|attributesfile)|include(if)?\.path|init\.templatedir)$/;
/** Settings that hold commands, whose words may be files. */
const commands =
  /^(core\.(fsmonitor|pager|editor|sshcommand|askpass|gitproxy)|sequence\.editor|pager\.\w+|alias\.[\w-]+|diff\.(external|command|textconv)|filter\.(clean|smudge|process)|merge\.driver|(diff|merge)tool\.(cmd|path)|credential\.helper|gpg\.program|uploadpack\.packobjectshook)$/;

/**
 * The files that a settings file of git names, directly or in files that it includes.
 *
 * @param roots Directories to which relative paths may refer, besides the file's own repository
 */
export function namedByGit(
  path: string,
  home: string | undefined,
  roots: readonly string[],
  depth = 0,
): string[] {
  const settings = settingsIn(path);
  // The file is in .git, in a bare repository, or in .git/modules or .git/worktrees.
  const folder = parentOf(path);
  const [, top] = /^(.*)\/\.git(?:\/.*)?$/s.exec(folder) ?? [];
  const worktrees = settings
    .filter(([key]) => key === "core.worktree")
    .map(([, value]) => resolved(value, folder, home));
  const bases = [...new Set([...(top === undefined ? [folder] : [top]), ...worktrees, ...roots])];
  return settings.flatMap(([key, value]) => {
    if (/^include(if)?\.path$/.test(key)) {
      const included = resolved(value, folder, home);
      if (depth === includesMax || included === path) return [included];
      return [included, ...namedByGit(included, home, bases, depth + 1)];
    }
    if (files.test(key)) return bases.map((base) => resolved(value, base, home));
    if (!commands.test(key)) return [];
    const words = value.split(/[\s;|&'"]+/).filter((word) => word.includes("/"));
    const named = words.flatMap((word) => bases.map((base) => resolved(word, base, home)));
    return named.filter((one) => statsOf(one)?.isFile() || statsOf(one)?.isSymbolicLink());
  });
}

/** The settings files of the repository that a `.git` file of a worktree or a submodule names. */
export function settingsOfGitFile(path: string): string[] {
  const [, name] = /^gitdir:\s*(.+?)\s*$/m.exec(textOf(path)) ?? [];
  if (name === undefined) return [];
  const repository = resolved(name, parentOf(path), undefined);
  const common = textOf(`${repository}/commondir`).trim();
  const folders = [repository, ...(common === "" ? [] : [resolved(common, repository, undefined)])];
  return folders.flatMap((folder) => [`${folder}/config`, `${folder}/config.worktree`]);
}

function resolved(value: string, base: string, home: string | undefined): string {
  const name = value.replace(/^!/, "");
  if (name.startsWith("/")) return name;
  return name.startsWith("~/") && home !== undefined ? home + name.slice(1) : `${base}/${name}`;
}

/** The settings in a file. Keys are in lower case and have no subsection. */
function settingsIn(path: string): [key: string, value: string][] {
  let section = "";
  return textOf(path)
    .replaceAll(/\\\r?\n/g, "")
    .split("\n")
    .flatMap((line): [string, string][] => {
      const [head, name] = /^\s*\[\s*([\w.-]+)(?:\s+"(?:[^"\\]|\\.)*")?\s*\]/.exec(line) ?? [];
      if (name !== undefined) section = name.toLowerCase().replace(/\..*$/, "");
      const rest = line.slice(head?.length ?? 0);
      const [, key, value] = /^\s*([a-z][\w-]*)\s*=\s*(.*?)\s*$/is.exec(rest) ?? [];
      if (key === undefined || value === undefined) return [];
      return [[`${section}.${key.toLowerCase()}`, unquoted(value)]];
    });
}

/** A value without quotes, escapes and comments. */
function unquoted(value: string): string {
  let isQuoted = false;
  let text = "";
  for (let at = 0; at < value.length; at++) {
    const one = value[at]!;
    if (one === '"') isQuoted = !isQuoted;
    else if (one === "\\") text += value[++at] ?? "";
    else if (!isQuoted && /[#;]/.test(one)) break;
    else text += one;
  }
  return text.trim();
}

function textOf(path: string): string {
  return nameOf(contentOf(path) ?? new Uint8Array());
}
