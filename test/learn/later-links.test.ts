/** Links and git's settings don't hide files that decide what later runs outside the sandbox. */
import { describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadPolicy, type FsRule } from "../../src/index.ts";
import { changes } from "../../src/advise/governing.ts";
import { GoverningPlaces } from "../../src/advise/governing-places.ts";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { explained, missingFor } from "../observe/explained.ts";
import { Scene } from "./scene.ts";

const missing = needsStrace || (kernelAbi < 2 ? "needs Landlock ABI 2" : "");

/**
 * Files with their content, links as `> TARGET`, and hard links as `= FILE`. Names that begin with
 * `~/` are in the home.
 */
type Tree = Readonly<Record<string, string>>;

/** What exists, what is written, and which of the files must not become writable. */
type Row = readonly [what: string, tree: Tree, written: string, kept?: string];

const rows: readonly Row[] = [
  [
    "a hook by its name",
    { "s/pc": "", ".git/hooks/pre-commit": "> ../../s/pc" },
    ".git/hooks/pre-commit",
    "s/pc",
  ],
  ["a hook by its target", { "s/pc": "", ".git/hooks/pre-commit": "> ../../s/pc" }, "s/pc"],
  [
    "a hook through two links",
    { "s/pc": "", "s/b": "> pc", ".git/hooks/pre-commit": "> ../../s/b" },
    "s/pc",
  ],
  [
    "a new file in linked hooks by their name",
    { "githooks/a": "", ".git/hooks": "> ../githooks" },
    ".git/hooks/new",
    "githooks/new",
  ],
  [
    "a new file in linked hooks",
    { "githooks/a": "", ".git/hooks": "> ../githooks" },
    "githooks/new",
  ],
  [
    "a link in linked hooks",
    { "x/a": "", "githooks/a": "> ../x/a", ".git/hooks": "> ../githooks" },
    "x/a",
  ],
  ["hooks of a linked repository", { "meta/hooks/a": "", ".git": "> meta" }, "meta/hooks/a"],
  ["husky's folder by its name", { "hk/a": "", ".husky": "> hk" }, ".husky/a", "hk/a"],
  ["husky's folder by its target", { "hk/a": "", ".husky": "> hk" }, "hk/a"],
  ["an editor's folder", { "ed/settings.json": "", ".vscode": "> ed" }, "ed/settings.json"],
  [
    "a shell's file by its name",
    { "~/dotfiles/bashrc": "", "~/.bashrc": "> dotfiles/bashrc" },
    "~/.bashrc",
    "~/dotfiles/bashrc",
  ],
  [
    "a shell's file by its target",
    { "~/dotfiles/bashrc": "", "~/.bashrc": "> dotfiles/bashrc" },
    "~/dotfiles/bashrc",
  ],
  [
    "a dangling shell's file",
    { "~/dotfiles/a": "", "~/.bashrc": "> dotfiles/bashrc" },
    "~/.bashrc",
    "~/dotfiles/bashrc",
  ],
  [
    "a linked folder of settings",
    { "~/dotfiles/fish/a": "", "~/.config/fish": "> ../dotfiles/fish" },
    "~/dotfiles/fish/a",
  ],
  [
    "a folder above settings",
    { "~/dotfiles/fish/a": "", "~/.config": "> dotfiles" },
    "~/dotfiles/fish/a",
  ],
  [
    "git's settings of the user",
    { "~/dotfiles/gc": "", "~/.gitconfig": "> dotfiles/gc" },
    "~/dotfiles/gc",
  ],
  [
    "a folder of programs in the project",
    { "prog/a": "", "~/.local/bin": "> PROJECT/prog" },
    "prog/a",
  ],
  ["one program in the project", { "prog/a": "", "~/.local/bin/a": "> PROJECT/prog/a" }, "prog/a"],
  ["another name of a hook", { a: "", ".git/hooks/pre-push": "= a" }, "a"],
  ["another name of a shell's file", { "~/.zshrc": "", zz: "= ~/.zshrc" }, "zz"],
  [
    "another name of a linked hook",
    { "s/pc": "", a: "= s/pc", ".git/hooks/x": "> ../../s/pc" },
    "a",
  ],
  ["git's hooksPath", { "hk2/a": "", ".git/config": "[core] hooksPath=hk2\n" }, "hk2/a"],
  [
    "a new file in git's hooksPath",
    { "hk2/a": "", ".git/config": '[core]\n\tHooksPath = "hk2" ; x\n' },
    "hk2/new",
  ],
  [
    "an absolute hooksPath",
    { "hk2/a": "", ".git/config": "[core]\nhooksPath=PROJECT/hk2\n" },
    "hk2/a",
  ],
  [
    "a hooksPath in an included file",
    {
      "hk2/a": "",
      ".git/more": "[core]\nhooksPath=hk2\n",
      ".git/config": "[include]\npath = more\n",
    },
    "hk2/a",
  ],
  [
    "a file that git's settings include",
    { more: "", ".git/config": "[include]\npath = ../more\n" },
    "more",
  ],
  [
    "a hooksPath of the user",
    { "hk2/a": "", "~/.gitconfig": "[core]\nhooksPath=PROJECT/hk2\n" },
    "hk2/a",
  ],
  [
    "a relative hooksPath of the user",
    { "hk2/a": "", "~/.config/git/config": "[core]\nhooksPath=hk2\n" },
    "hk2/a",
  ],
  [
    "a linked hooksPath",
    { "real/a": "", hk2: "> real", ".git/config": "[core]\nhooksPath=hk2\n" },
    "real/a",
  ],
  [
    "a program of git's settings",
    { "t/watch": "", ".git/config": "[core]\nfsmonitor = ./t/watch -x\n" },
    "t/watch",
  ],
  [
    "git's hooksPath for a worktree",
    {
      "hk2/a": "",
      ".git": "gitdir: ../main/.git/worktrees/w\n",
      "../main/.git/worktrees/w/commondir": "../..\n",
      "../main/.git/config": "[core]\nhooksPath = hk2\n",
    },
    "hk2/a",
  ],
  ["a bare repository's hook", { "n.git/hooks/a": "" }, "n.git/hooks/a"],
  [
    "a program of a virtual environment",
    { "env/pyvenv.cfg": "", "env/bin/pip": "" },
    "env/bin/pip",
  ],
  ["a tool's settings", { ".cargo/config.toml": "" }, ".cargo/config.toml"],
];

/** Makes a scene, and returns the function that resolves its names. */
function sceneOf(tree: Tree): [Scene, (name: string) => string] {
  const scene = new Scene(tempDir());
  const at = (name: string) =>
    name.startsWith("~/") ? join(scene.home, name.slice(2)) : join(scene.project, name);
  for (const [name, content] of Object.entries(tree)) {
    const path = at(name);
    mkdirSync(dirname(path), { recursive: true });
    const text = content.replace("PROJECT", scene.project);
    if (text.startsWith("> ")) symlinkSync(text.slice(2), path);
    else if (text.startsWith("= ")) linkSync(at(text.slice(2)), path);
    else writeFileSync(path, text);
  }
  return [scene, at];
}

describe("what decides what runs later is recognised behind links and settings:", () => {
  test.each(rows.map((row) => [...row]))("%s", (_, tree, written, kept = written) => {
    const [scene, at] = sceneOf(tree);
    const places = new GoverningPlaces(scene.home, scene.project);
    expect([places.has(at(written)), places.has(at(kept))]).toEqual([true, true]);
    // A directory with such a file in it isn't granted instead.
    expect(places.mayHold(dirname(at(kept)))).toBe(true);
    for (const name of ["src/a", "b", "~/notes/a", "/dev/null"]) {
      expect([name, places.has(name.startsWith("/") ? name : at(name))]).toEqual([name, false]);
    }
  });
});

describe("learn does not grant", () => {
  for (const [what, tree, written, kept = written] of rows) {
    testUnless(missing, what, async () => {
      const [scene, at] = sceneOf(tree);
      const { code, stderr } = await scene.learn(["sh", "-c", 'echo x >>"$0"', at(written)]);
      expect(code).toBe(0);
      expect(stderr).toContain("it decides what runs later");
      const rules = loadPolicy(scene.policy).rules.filter((rule) => rule.kind === "fs");
      const open = (rules as FsRule[])
        .filter(({ access }) => changes(new Set(access)))
        .flatMap(({ paths }) => paths)
        .filter((path) => `${at(kept)}/`.startsWith(`${path}/`));
      expect(open).toEqual([]);
    });
  }
});

describe("explain --until-it-works does not add", () => {
  const options = ["--until-it-works", "-ro", "/usr", "/bin", "/lib", "/lib64", "/etc"];
  for (const [what, tree, written] of rows) {
    if (written.startsWith("~/")) continue;
    testUnless(missingFor(3), what, () => {
      const [scene, at] = sceneOf(tree);
      const words = [...options, "-rwfiles", "/dev/null"];
      const { found, code } = explained(words, ["sh", "-c", 'echo x >>"$0"', at(written)], {
        cwd: scene.project,
        env: { HOME: scene.home },
      });
      const { added } = found as unknown as { added: readonly string[] };
      expect([code === 0, added.filter((word) => /^-(rw|with)/.test(word))]).toEqual([false, []]);
    });
  }
});

describe("hooks that a run makes in a directory that it may write", () => {
  const script = "mkdir -p s/g/hooks && echo x >s/g/hooks/pre-commit && mv s/g s/.git";
  const options = ["--until-it-works", "-ro", "/usr", "/bin", "/lib", "/lib64", "/etc"];

  testUnless(missingFor(3), "take it out of the final command line", () => {
    const [scene] = sceneOf({ "s/a": "" });
    const { found, code } = explained(options, ["sh", "-c", script], {
      cwd: scene.project,
      env: { HOME: scene.home },
    });
    const { added } = found as unknown as { added: readonly string[] };
    expect([code, added.includes(join(scene.project, "s"))]).toEqual([0, false]);
    expect(found.notes.join("\n")).toContain("No longer advised: it contains files that decide");
  });

  testUnless(missingFor(3), "are reported for a directory that a rule makes", () => {
    const [scene] = sceneOf({});
    const { found, code } = explained(options, ["sh", "-c", script], {
      cwd: scene.project,
      env: { HOME: scene.home },
    });
    expect(code).toBe(0);
    expect(found.notes.join("\n")).toContain("Careful: the program can write files that decide");
  });

  testUnless(missing, "are reported by learn", async () => {
    const [scene] = sceneOf({});
    const { code, stderr } = await scene.learn(["sh", "-c", script]);
    expect(code).toBe(0);
    expect(stderr).toContain("Careful: the program can write files that decide");
  });

  testUnless(missingFor(3), "keep a new bare repository out of what is added", () => {
    const [scene] = sceneOf({});
    const make = "mkdir -p n.git/hooks && echo x >n.git/hooks/pre-receive";
    const { found, code } = explained(options, ["sh", "-c", make], {
      cwd: scene.project,
      env: { HOME: scene.home },
    });
    const { added } = found as unknown as { added: readonly string[] };
    expect([code === 0, added.filter((word) => word.startsWith(scene.project))]).toEqual([
      false,
      [],
    ]);
  });
});
