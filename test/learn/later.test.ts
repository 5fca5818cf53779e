/** Files that decide what later runs outside the sandbox are never granted for writing. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadPolicy, type FsRule } from "../../src/index.ts";
import { changes, isGoverning, mayHoldGoverning } from "../../src/advise/governing.ts";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { Scene } from "./scene.ts";

const missing = needsStrace || (kernelAbi < 2 ? "needs Landlock ABI 2" : "");

/** The rights to change a path, from rules for it or for directories above it. */
function changesOn(scene: Scene, path: string): string[] {
  const rules = loadPolicy(scene.policy).rules.filter((rule) => rule.kind === "fs") as FsRule[];
  const found = rules.filter(({ paths }) =>
    paths.some((one) => path === one || path.startsWith(`${one}/`)),
  );
  const rights = found.flatMap(({ access }) => access);
  return rights.filter((right) => changes(new Set([right])));
}

test("files and folders that decide what runs later are recognised in any home directory", () => {
  const names = [
    ...[
      ".bashrc",
      ".profile",
      ".zshenv",
      ".config/fish/config.fish",
      ".config/autostart/a.desktop",
    ],
    ...[".config/systemd/user/a.service", ".local/bin/ls", ".gitconfig", ".config/git/config"],
    ...[".bun/install/cache/@t@/x.pile", ".bun/bin/bun", ".npm/_cacache/index-v5", ".npm/_npx"],
    ...[".cache/pip/http", ".m2/repository", ".cargo/bin/rg", ".ssh/rc", ".vimrc", "go/pkg/mod/x"],
  ];
  for (const folder of ["/home/ann", "/root", "/data/eve"]) {
    const found = names.filter((name) => isGoverning(`${folder}/${name}`, "/data/eve"));
    expect([folder, ...found]).toEqual([folder, ...names]);
    for (const above of [".config", ".local", ".local/share", ".cache"]) {
      expect(mayHoldGoverning(`${folder}/${above}`, "/data/eve", true)).toBe(true);
    }
  }
  const others = [".config/tool/a", ".cache/tool", "src/a", ".bashrc.d", ".cache/pipe", "gopher"];
  expect(others.filter((name) => isGoverning(`/home/ann/${name}`, undefined))).toEqual([]);
  const ofSystem = ["/etc/cron.d/a", "/usr/local/bin/x", "/var/spool/cron/root", "/lib/systemd/a"];
  expect(ofSystem.filter((path) => !isGoverning(path, undefined))).toEqual([]);
  const plain = ["/var/lib/x/a", "/srv/bin", "/usr/src/app/a", "/library/a", "/etcetera"];
  expect(plain.filter((path) => isGoverning(path, undefined))).toEqual([]);
});

test("hooks and settings of repositories are recognised, bare ones and submodules too", () => {
  const folder = tempDir();
  mkdirSync(join(folder, "bare/objects"), { recursive: true });
  writeFileSync(join(folder, "bare/HEAD"), "");
  writeFileSync(join(folder, ".git"), "gitdir: elsewhere\n");
  const names = [
    ...["a/.git/hooks/pre-commit", "a/.git/config", "a/.git/modules/b/c/config", "bare/hooks/x"],
    ...["a/.git/worktrees/b/commondir", "bare/config", ".git", "a/.husky/_/x", "a/.vscode/x.json"],
  ];
  const paths = names.map((name) => join(folder, name));
  expect(paths.filter((path) => !isGoverning(path, undefined))).toEqual([]);
  const others = ["a/.git/objects/ab", "a/hooks/use.ts", "a/config", "a/.gitignore"];
  expect(others.filter((name) => isGoverning(join(folder, name), undefined))).toEqual([]);
});

describe("what is written in a home directory", () => {
  testUnless(missing, "Bun's cache of code is not granted, and long scripts run", async () => {
    for (const prepare of [true, false]) {
      const scene = new Scene(tempDir());
      const cache = join(scene.home, ".bun/install/cache/@t@");
      if (prepare) mkdirSync(cache, { recursive: true });
      const lines = Array.from({ length: 3000 }, (_, i) => `const v${i}: number = ${i};`);
      scene.write("m.ts", `${lines.join("\n")}\nconsole.log(v7);\n`);
      const command = ["bun", "m.ts"];
      const { stdout, stderr } = await scene.learn(command);
      expect([stdout, existsSync(cache)]).toEqual(["7\n", true]);
      expect(stderr).toContain("it decides what runs later");
      expect(stderr).toContain(prepare ? '"${HOME}/.bun/install/cache/@t@": ' : '"${HOME}/.bun');
      for (const path of [cache, join(cache, "x.pile"), join(scene.home, ".bun/bin/bun")]) {
        expect([path, changesOn(scene, path)]).toEqual([path, []]);
      }
      rmSync(join(scene.home, ".bun"), { recursive: true });
      expect(await scene.restricted(command)).toEqual({ stdout: "7\n", stderr: "", code: 0 });
    }
  });

  testUnless(missing, "start-up files, programs and settings are not granted", async () => {
    const names = [
      ...[".bashrc", ".profile", ".config/fish/config.fish", ".config/autostart/a.desktop"],
      ...[".local/bin/ls", ".gitconfig", ".npm/_cacache/x", ".cargo/bin/x", ".m2/settings/x"],
    ];
    for (const existing of [true, false]) {
      const scene = new Scene(tempDir());
      for (const name of names) {
        const path = join(scene.home, name);
        mkdirSync(dirname(path), { recursive: true });
        if (existing) writeFileSync(path, "x");
      }
      const script = names.map((name) => `echo y >~/${name}`).join("; ");
      const { code, stderr } = await scene.learn(["bash", "-c", script]);
      expect(code).toBe(0);
      expect(stderr).toContain("add it for writing:");
      for (const name of names) {
        expect([name, changesOn(scene, join(scene.home, name))]).toEqual([name, []]);
      }
    }
  });
});

describe("what is written in a project", () => {
  testUnless(missing, "hooks, and settings of editors and of git, are not granted", async () => {
    const names = [".git/hooks/pre-commit", ".git/config", ".husky/a", ".vscode/a", ".envrc"];
    for (const existing of [true, false]) {
      const scene = new Scene(tempDir());
      for (const name of names) scene.write(`${dirname(name)}/.keep`, "");
      for (const name of existing ? names : []) scene.write(name, "x");
      const script = names.map((name) => `echo y >${name}`).join("; ");
      const { code, stderr } = await scene.learn(["sh", "-c", script]);
      expect(code).toBe(0);
      expect(stderr).toContain('"${PROJECT}/.git/hooks');
      for (const name of names) {
        expect([name, changesOn(scene, join(scene.project, name))]).toEqual([name, []]);
      }
    }
  });

  testUnless(missing, "folders of hooks that the run makes are not granted", async () => {
    const scene = new Scene(tempDir());
    scene.write(".git/HEAD", "");
    const script = "mkdir .husky .git/hooks; echo x >.husky/a; echo x >.git/hooks/pre-commit";
    expect((await scene.learn(["sh", "-c", script])).code).toBe(0);
    for (const name of [".husky/a", ".git/hooks/pre-commit"]) {
      rmSync(dirname(join(scene.project, name)), { recursive: true });
      expect([name, changesOn(scene, join(scene.project, name))]).toEqual([name, []]);
    }
  });

  const git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example"];
  testUnless(
    missing || (Bun.which("git") ? "" : "needs git"),
    "settings of git are not granted for writing",
    async () => {
      const scene = new Scene(tempDir());
      await scene.run(["git", "init", "-q", "."]);
      const { stderr } = await scene.learn(["git", "config", "core.pager", "x"]);
      expect(stderr).toContain('"${PROJECT}/.git/config": ');
      expect(changesOn(scene, join(scene.project, ".git/config"))).toEqual([]);
    },
  );

  testUnless(
    missing || (Bun.which("git") ? "" : "needs git"),
    "a commit works, its policy names hooks and settings, and says nothing twice",
    async () => {
      const scene = new Scene(tempDir());
      await scene.run(["git", "init", "-q", "."]);
      scene.write("a", "a");
      const script = `${git.join(" ")} add a; ${git.join(" ")} commit -qm "$0"`;
      const { code, stderr } = await scene.learn(["sh", "-c", script, "first"]);
      expect(code).toBe(0);
      expect(stderr).toContain("a clone that you fetch from:\n  ${PROJECT}/.git/hooks\n");
      const text = readFileSync(scene.policy, "utf8");
      expect(text).toMatch(/access = "rw"\nifMissing[^\n]*\npaths = \["\$\{PROJECT\}\/\.git"\]/);
      expect(text).not.toMatch(/make_(char|block|fifo)/);
      writeFileSync(join(scene.project, "a"), "b");
      expect(await scene.restricted(["sh", "-c", script, "second"])).toMatchObject({ code: 0 });
    },
  );

  testUnless(
    missing || (Bun.which("git") ? "" : "needs git"),
    "a clone that links files of another folder grants no writing there, and works",
    async () => {
      const scene = new Scene(tempDir());
      const up = join(scene.folder, "up");
      await scene.run(["git", "init", "-q", up]);
      writeFileSync(join(up, "a"), "a");
      await scene.run([...git, "-C", up, "add", "a"]);
      await scene.run([...git, "-C", up, "commit", "-qm", "first"]);
      const command = ["git", "clone", "-q", "../up", "co"];
      const { code, stderr } = await scene.learn(command);
      expect(code).toBe(0);
      expect(stderr).toMatch(
        /makes hard links from it, so files that are only read[^]*up\/\.git\/objects/,
      );
      expect(changesOn(scene, join(up, ".git/objects"))).toEqual([]);
      rmSync(join(scene.project, "co"), { recursive: true });
      expect(await scene.restricted(command)).toEqual({ stdout: "", stderr: "", code: 0 });
      expect(readFileSync(join(scene.project, "co/a"), "utf8")).toBe("a");
    },
  );

  testUnless(missing, "no note says of an open place that it is withheld", async () => {
    const scene = new Scene(tempDir());
    scene.write(".git/hooks/a", "x");
    const script =
      "for i in 1 2 3; do echo >.git/$i; echo >.git/hooks/$i; done; mkdir -p new/.husky";
    const { stderr } = await scene.learn(["sh", "-c", `${script}; echo >new/.husky/a`]);
    const [, careful = ""] = stderr.split("Careful: the program can write files that decide");
    expect(careful).toContain("  ${PROJECT}/.git/hooks\n");
    expect(careful).toContain("  ${PROJECT}/new/.husky\n");
    expect(stderr).not.toContain("granted: it decides what runs later");
  });

  testUnless(
    missing,
    "a folder for temporary files that has the home in it is no preset",
    async () => {
      const scene = new Scene(tempDir());
      const learning = scene.learning(scene.policy, ["sh", "-c", "echo >$TMPDIR/x"]);
      const { code } = await scene.run([
        "sh",
        "-c",
        'TMPDIR=${PWD%/*} exec "$@"',
        "sh",
        ...learning,
      ]);
      expect(code).toBe(0);
      expect(changesOn(scene, join(scene.home, ".bashrc"))).toEqual([]);
    },
  );

  testUnless(missing, "names of threads are no files of a policy", async () => {
    const scene = new Scene(tempDir());
    for (const command of ["echo x >/proc/self/comm", "(echo x >/proc/self/comm); true"]) {
      rmSync(scene.policy, { force: true });
      const { code, stderr } = await scene.learn(["bash", "-c", command]);
      expect(code).toBe(0);
      expect(stderr).toContain("a process sets it for itself");
      expect(changesOn(scene, "/proc/self/comm")).toEqual([]);
    }
  });
});
