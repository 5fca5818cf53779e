/**
 * Files that decide what runs later, outside of any sandbox: hooks of version control, settings of
 * editors and of servers that build. Writing in a directory above them would be a way out.
 */
import type { FsRight } from "../kernel/abi.ts";
import { lastName } from "../kernel/names.ts";
import { search } from "./search.ts";
import { statsOf } from "./stats.ts";

const governing =
  /^(\.git|\.hg|\.svn|\.jj|\.bzr|\.husky|\.githooks|\.github|\.gitlab|\.gitlab-ci\.yml|\.circleci|\.vscode|\.idea|\.zed|\.cursor|\.claude|\.devcontainer|\.mcp\.json|\.envrc|\.pre-commit-config\.yaml)$/;

/** Files that say what tools run, and that many programs have a reason to write. */
const settings = [
  ...["package.json", "bunfig.toml", ".npmrc", "deno.json", "node_modules", "Makefile"],
  ...["pyproject.toml", "Cargo.toml", "go.mod"],
];

/** Rights that change nothing. */
const harmless: ReadonlySet<FsRight> = new Set([
  ...(["execute", "read_file", "read_dir", "ioctl_dev", "resolve_unix"] as const),
]);

/** Whether some of the rights allow changes. */
export function changes(rights: ReadonlySet<FsRight>): boolean {
  return !rights.isSubsetOf(harmless);
}

/** Whether a path is such a file, or in such a directory. */
export function isGoverning(path: string): boolean {
  return path.split("/").some((name) => governing.test(name));
}

/** What a grant for writing on a path lets be changed of all that: the path, or files next to it. */
export function governingAt(path: string): string[] {
  if (isGoverning(path) || settings.includes(lastName(path))) return [path];
  return settings.map((name) => `${path}/${name}`).filter((file) => statsOf(file) !== undefined);
}

/**
 * Whether a directory is or has such a file in it, or may: if it is too large to look through.
 *
 * @param within Whether only what is in it counts
 */
export function mayHoldGoverning(directory: string, within = false): boolean {
  if (!within && governing.test(lastName(directory))) return true;
  const { found, complete } = search(directory, {
    isFound: ({ name }) => governing.test(name),
    isClosed: (path) => path.endsWith("/node_modules"),
    max: 1,
  });
  return found.length > 0 || !complete;
}
