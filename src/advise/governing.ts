/**
 * Files that decide what runs later, outside of any sandbox: hooks of version control, settings of
 * editors and shells, programs on PATH, and caches of code. Writing them would be a way out of the
 * sandbox.
 */
import type { FsRight } from "../kernel/abi.ts";
import { lastName } from "../kernel/names.ts";
import { search } from "./search.ts";
import { statsOf } from "./stats.ts";

/** Names of such files and directories in any place. `@t@` is where Bun keeps compiled code. */
const governing =
  /^(\.husky|\.githooks|\.lefthook|lefthook\.yml|\.github|\.gitlab|\.gitlab-ci\.yml|\.circleci|\.vscode|\.idea|\.zed|\.fleet|\.cursor|\.claude|\.devcontainer|\.mcp\.json|\.envrc|\.mise\.toml|\.exrc|\.n?vimrc|\.gdbinit|@t@|\.direnv|\.pre-commit-config\.yaml)$/;

/** Directories of version control. Committing writes there, next to hooks and settings. */
const versionControl = /^\.(git|hg|svn|jj|bzr)$/;

/** The parts of a git repository that decide what runs. */
const ofRepository = /^(hooks|config(\.worktree)?(\.lock)?|commondir)$/;
const ofOthers =
  /\/(\.hg\/hgrc|\.jj\/repo\/config\.toml|\.bzr\/branch\/branch\.conf|\.yarn\/(releases|plugins)|\.cargo\/config(\.toml)?)(\/|$)/;

/** Files that decide what tools run, but that many programs have a reason to write. */
const settings = [
  ...[
    "package.json",
    "bunfig.toml",
    ".npmrc",
    ".yarnrc.yml",
    "deno.json",
    "node_modules",
    "Makefile",
  ],
  ...["pyproject.toml", "Cargo.toml", "go.mod", "__pycache__"],
];

/** Paths beneath a home directory. A `*` stands for the rest of a name. */
const ofHome = [
  // Shells and sessions.
  ...[".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile"],
  ...[".bash_completion", ".local/share/bash-completion", ".zsh*", ".zprofile", ".zlog*", ".kshrc"],
  ...[".mkshrc", ".shinit", ".shrc", ".cshrc", ".tcshrc", ".login", ".logout", ".inputrc"],
  ...[".oh-my-zsh", ".config/fish", ".local/share/fish", ".config/zsh", ".config/bash*"],
  ...[".config/nushell", ".config/powershell", ".config/starship.toml", ".config/environment.d"],
  ...[".pam_environment", ".xprofile", ".xinitrc", ".xsession*", ".config/autostart*"],
  ...[".config/systemd", ".local/share/systemd", ".local/share/dbus-1", ".config/plasma-workspace"],
  ...[".local/share/applications", ".config/mimeapps.list", ".mailcap", ".forward", ".procmailrc"],
  ...[".config/i3", ".config/sway", ".config/hypr", ".config/upstart", ".config/direnv"],
  // Programs, including those of package managers.
  ...[
    "bin",
    ".bin",
    ".local/bin",
    ".local/lib",
    ".local/lib64",
    ".local/pipx",
    ".local/share/pipx",
  ],
  ...[".local/share/uv", ".local/share/pnpm", ".local/share/mise", ".config/mise", ".asdf"],
  ...[".tool-versions", ".bun", ".bunfig.toml", ".config/.bunfig.toml", ".cargo", ".rustup"],
  ...["go/bin", "go/pkg", ".config/go", ".deno", ".nvm", ".volta", ".fnm", ".n", ".npm*"],
  ...[".node_modules", ".node_libraries", "node_modules", ".yarn*", ".config/yarn", ".pnpm*"],
  ...[".pyenv", ".rbenv", ".rvm", ".gem", ".bundle", ".local/share/gem", ".sdkman", ".nix-*"],
  ...[".m2", ".mavenrc", ".gradle", ".ivy2", ".sbt", ".nuget", ".dotnet", ".composer"],
  ...[".config/composer", ".conda*", ".pip", ".config/pip", ".pydistutils.cfg", ".config/uv"],
  ...[".local/share/flatpak", ".ghcup", ".cabal", ".stack", ".opam", ".luarocks", ".cpan*"],
  // Caches of code that is executed or linked.
  ...[".cache/pip", ".cache/uv", ".cache/pypoetry", ".cache/pre-commit", ".cache/yarn"],
  ...[".cache/pnpm", ".cache/node", ".cache/deno", ".cache/bun*", ".cache/electron*"],
  ...[".cache/ms-playwright*", ".cache/puppeteer", ".cache/Cypress", ".cache/go-build"],
  ...[
    ".cache/bazel*",
    ".cache/ccache",
    ".ccache",
    ".cache/sccache",
    ".cache/zig",
    ".cache/coursier",
  ],
  ...[".cache/composer", ".cache/jdtls", ".cache/huggingface", ".cache/torch", ".cache/nix"],
  // Settings of programs that start others.
  ...[".gitconfig", ".config/git", ".gitattributes", ".git-template*", ".hgrc", ".config/hg"],
  ...[".config/jj", ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".config/containers"],
  ...[".config/gcloud", ".config/gh", ".terraform*", ".bazelrc", ".curlrc", ".wgetrc", ".netrc"],
  ...[".vim", ".vimrc", ".gvimrc", ".exrc", ".config/nvim", ".local/share/nvim", ".emacs*"],
  ...[".config/emacs", ".config/helix", ".nanorc", ".tmux*", ".config/tmux", ".screenrc"],
  ...[".config/Code*", ".config/VSCodium", ".config/Cursor", ".vscode*", ".cursor*", ".config/zed"],
  ...[".config/JetBrains", ".local/share/JetBrains", ".claude*", ".codex", ".gemini", ".lesskey"],
  ...[".rhosts", ".k5login", ".ansible.cfg", ".asdfrc", ".config/mpv/scripts"],
  ...[".gdbinit", ".lldbinit", ".config/gdb", ".pythonrc*", ".ipython", ".jupyter", ".irbrc"],
  ...[
    ".pryrc",
    ".Rprofile",
    ".Renviron",
    ".psqlrc",
    ".sqliterc",
    ".perldb",
    ".ghci",
    ".lessfilter",
  ],
];

/** Paths of the system: programs, libraries, and what starts them. */
const ofSystem =
  /^\/(usr(\/local)?\/)?(s?bin|lib(32|64|x32|exec)?)(\/|$)|^\/etc(?=\/|$)(?!\/(mtab|resolv\.conf|hosts|hostname|localtime|timezone)$)|^\/boot(\/|$)|^\/var\/spool\/(cron|at|anacron|incron)(\/|$)|^\/(run|usr\/local\/lib)\/systemd(\/|$)|^\/proc\/sys(\/|$)/;

const homePattern = new RegExp(
  `^(${ofHome.map((name) => RegExp.escape(name).replaceAll("\\*", "[^/]*")).join("|")})(/|$)`,
  "s",
);
/** The directories above those in a home. */
export const aboveHome: ReadonlySet<string> = new Set(ofHome.flatMap((name) => [...above(name)]));

function* above(name: string): Generator<string> {
  for (let at = name.indexOf("/"); at > 0; at = name.indexOf("/", at + 1)) yield name.slice(0, at);
}

/** Rights that change nothing. */
export const harmless: ReadonlySet<FsRight> = new Set([
  ...(["execute", "read_file", "read_dir", "ioctl_dev", "resolve_unix"] as const),
]);

/** Whether some of the rights allow changes. */
export function changes(rights: ReadonlySet<FsRight>): boolean {
  return !rights.isSubsetOf(harmless);
}

/** A path relative to each home directory that contains it. */
export function inHomes(path: string, home: string | undefined): string[] {
  const beneath = /^(?:\/home\/[^/]+|\/root)\/(.+)$/s.exec(path)?.[1];
  const own = home && path.startsWith(`${home}/`) ? path.slice(home.length + 1) : undefined;
  return [beneath, own].filter((rest) => rest !== undefined);
}

/**
 * Whether a path is such a file, or in such a directory.
 *
 * @param path An absolute path without symbolic links
 * @param home The home directory, if known; those in `/home` and root's always count
 */
export function isGoverning(path: string, home: string | undefined): boolean {
  if (inHomes(path, home).some((rest) => homePattern.test(rest))) return true;
  if (ofSystem.test(path) || ofOthers.test(path)) return true;
  // A .git file tells where the repository is.
  if (lastName(path) === ".git" && statsOf(path)?.isFile()) return true;
  const names = path.split("/");
  return names.some((name, i) => {
    if (governing.test(name)) return true;
    const above = names.slice(0, i).join("/");
    // Programs of a virtual environment of Python.
    if (name === "bin" && statsOf(`${above}/pyvenv.cfg`)) return true;
    return ofRepository.test(name) && isRepository(above);
  });
}

/** Whether a path is in a directory of version control, or is a bare repository. */
export function isVersionControl(path: string): boolean {
  return path.split("/").some((name) => versionControl.test(name)) || isRepository(path);
}

function isRepository(directory: string): boolean {
  // Bare repositories are named like `app.git`.
  if (/\/[^/]*\.git(\/(modules|worktrees)\/.+)?$/s.test(directory)) return true;
  return ["HEAD", "objects"].every((name) => statsOf(`${directory}/${name}`) !== undefined);
}

/**
 * The files that decide what runs and that a writable path covers: the path itself, or files in it.
 */
export function governingAt(path: string): string[] {
  if (isRepository(path)) return [`${path}/hooks`, `${path}/config`];
  const names = path.split("/");
  if (names.includes("node_modules") || settings.includes(lastName(path))) return [path];
  return settings.map((name) => `${path}/${name}`).filter((file) => statsOf(file) !== undefined);
}

/**
 * Whether a directory is or contains such a file. It also counts if it is too large to search, or
 * if such a file could be made there.
 *
 * @param home The home directory, if known
 * @param within Whether only its content counts
 * @param isKnown Whether a file in it is known to be one
 */
export function mayHoldGoverning(
  directory: string,
  home: string | undefined,
  within = false,
  isKnown: (path: string) => boolean = () => false,
): boolean {
  if (leadsToGoverning(directory, home)) return true;
  const isItself = versionControl.test(lastName(directory)) || isGoverning(directory, home);
  if (!within && isItself) return true;
  const { found, complete } = search(directory, {
    isFound: ({ name, path }) =>
      versionControl.test(name) || isGoverning(path, home) || isKnown(path),
    isClosed: (path) => path.endsWith("/node_modules"),
    max: 1,
  });
  return found.length > 0 || !complete;
}

/** Whether programs expect such a file beneath a directory, even if it doesn't exist yet. */
export function leadsToGoverning(directory: string, home: string | undefined): boolean {
  return inHomes(directory, home).some((rest) => aboveHome.has(rest));
}
