/** A link and its target are both secret if either name is. */
import { describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, realpathSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Secrets } from "../../src/advise/secrets.ts";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { Scene } from "./scene.ts";

const secrets = new Secrets("/home/ann");

describe("secrets by link", () => {
  test("what a link with the name of a secret leads to is one", () => {
    const folder = realpathSync(tempDir());
    const own = join(folder, "home");
    for (const name of ["home/.aws", "home/.config", "home/dotfiles/ssh", "home/work", "home/free"])
      mkdirSync(join(folder, name), { recursive: true });
    const files = ["ssh/config", "npmrc", "awsc", "env", "gh", "plain", "mid", "chained"];
    for (const name of files) {
      if (name !== "mid") writeFileSync(join(own, "dotfiles", name), "x");
    }
    symlinkSync("dotfiles/ssh", join(own, ".ssh"));
    symlinkSync("dotfiles/npmrc", join(own, ".npmrc"));
    symlinkSync("../dotfiles/awsc", join(own, ".aws/credentials"));
    symlinkSync("../dotfiles/env", join(own, "work/.env"));
    symlinkSync(join(own, "dotfiles/gh"), join(own, ".config/gh"));
    symlinkSync("chained", join(own, "dotfiles/mid"));
    symlinkSync("../dotfiles/mid", join(own, "work/.envrc"));
    symlinkSync("..", join(own, "work/.secrets"));
    const judge = new Secrets(own, join(own, "work"));
    const found = files.filter((name) => judge.has(join(own, "dotfiles", name)));
    expect(found).toEqual(["ssh/config", "npmrc", "awsc", "env", "gh", "chained"]);
    expect(judge.mayBeWithin(join(own, "dotfiles"))).toBe(true);
    // A link to the home itself does not make everything in the home secret.
    expect(judge.has(join(own, "free"))).toBe(false);
  });

  test("a path is judged by each of its names", () => {
    const folder = realpathSync(tempDir());
    for (const name of ["plain", "id_rsa"]) writeFileSync(join(folder, name), "x");
    symlinkSync("plain", join(folder, ".env"));
    symlinkSync(".env", join(folder, "a"));
    symlinkSync("id_rsa", join(folder, "b"));
    symlinkSync(".", join(folder, "here"));
    symlinkSync("loop", join(folder, "loop"));
    const nameFor = (name: string) => secrets.nameFor(`${folder}/${name}`);
    expect([".env", "a", "b", "plain", "loop", "gone"].map(nameFor)).toEqual([
      ...[join(folder, ".env"), join(folder, ".env"), join(folder, "id_rsa")],
      ...[undefined, undefined, undefined],
    ]);
    expect(nameFor("here/../here/a")).toBe(undefined);
    expect(nameFor("here/here/a")).toBe(join(folder, ".env"));
    expect(nameFor("./x/../b")).toBe(join(folder, "id_rsa"));
  });
});

test("a hard link to a secret is one, whatever it is called, as long as it is there", () => {
  const folder = realpathSync(tempDir());
  const own = join(folder, "home");
  for (const name of ["home/.ssh/agent", "home/.mozilla/a", "work/data/deep", "work/free"])
    mkdirSync(join(folder, name), { recursive: true });
  const links: [secret: string, name: string][] = [
    ["home/.ssh/id_ed25519", "work/data.txt"],
    ["home/.ssh/agent/x", "work/data/x"],
    ["home/.mozilla/a/b", "work/data/b"],
    ["home/.npmrc", "home/plain"],
    ["home/other/.env", "work/data/deep/e"],
    ["work/data/.env", "work/data/f"],
  ];
  mkdirSync(join(own, "other"));
  for (const [secret, name] of links) {
    writeFileSync(join(folder, secret), "x");
    linkSync(join(folder, secret), join(folder, name));
  }
  writeFileSync(join(folder, "work/free/a"), "a");
  linkSync(join(folder, "work/free/a"), join(folder, "work/free/b"));
  symlinkSync("data.txt", join(folder, "work/link"));
  const judge = new Secrets(own, join(folder, "work"));
  const names = links.map(([, name]) => name);
  const all = [...names, "work/free/a", "work/free/b"];
  expect(all.filter((name) => judge.has(join(folder, name)))).toEqual(names);
  for (const [secret, name] of links)
    expect(judge.sameAs(join(folder, name))).toBe(join(folder, secret));
  expect(judge.nameFor(join(folder, "work/link"))).toBe(join(folder, "work/data.txt"));
  expect(judge.mayBeWithin(join(folder, "work/data/deep"))).toBe(true);
  expect(judge.mayBeWithin(join(folder, "work/free"))).toBe(false);
  // The target of a move counts too, and so does a link created later.
  renameSync(join(folder, "work/data.txt"), join(folder, "work/moved"));
  expect(judge.has(join(folder, "work/data.txt"))).toBe(false);
  expect(judge.has(join(folder, "work/data.txt"), join(folder, "work/moved"))).toBe(true);
  writeFileSync(join(own, ".netrc"), "x");
  linkSync(join(own, ".netrc"), join(folder, "work/late"));
  judge.look();
  expect(judge.has(join(folder, "work/late"))).toBe(true);
});

testUnless(
  needsStrace || (kernelAbi < 1 ? "needs Landlock" : ""),
  "learn grants no hard link to a secret, nor its directory, and explain says what it is",
  async () => {
    const scene = new Scene(tempDir());
    const key = join(scene.home, ".ssh/id_ed25519");
    writeFileSync(key, "key\n");
    for (const name of ["docs/a", "docs/b"]) scene.write(name, "text\n");
    for (const name of ["data.txt", "docs/c"]) linkSync(key, join(scene.project, name));
    const read = ["cat", "data.txt", "docs/a", "docs/b", "docs/c"];
    const learned = await scene.learn(read);
    expect(learned.stdout).toBe("key\ntext\ntext\nkey\n");
    const text = await Bun.file(scene.policy).text();
    for (const said of [learned.stderr, text]) {
      for (const name of ["data.txt", "docs/c"]) {
        const same = "${HOME}/.ssh/id_ed25519";
        expect(said).toContain(`"\${PROJECT}/${name}", the same file as "${same}": read_file`);
      }
    }
    const again = await scene.restricted(read);
    expect(again.stdout).toBe("text\ntext\n");
    expect(again.stderr.match(/Permission denied/g)).toHaveLength(2);
    const cli = scene.learning("p.toml", []).slice(0, -4);
    const words = ["explain", "-ro", "/usr", "/bin", "/lib", "/etc", "--", "cat", "data.txt"];
    const { stderr } = await scene.run([...cli, ...words]);
    const data = join(scene.project, "data.txt");
    expect(stderr).toContain(`really needs: ${data}, the same file as ${key}.`);
  },
);

testUnless(
  needsStrace || (kernelAbi < 1 ? "needs Landlock" : ""),
  "secrets that lie among others by a name that links give them stay denied, and so do copies",
  async () => {
    const scene = new Scene(tempDir());
    const dotfiles = join(scene.home, "dotfiles");
    mkdirSync(join(scene.home, ".aws"));
    mkdirSync(dotfiles);
    const names = ["npmrc", "awsc", "env", "moved", "plain", "other"];
    for (const name of names) writeFileSync(join(dotfiles, name), `${name}\n`);
    symlinkSync("dotfiles/npmrc", join(scene.home, ".npmrc"));
    symlinkSync("../dotfiles/awsc", join(scene.home, ".aws/credentials"));
    symlinkSync("../home/dotfiles/env", join(scene.project, ".env"));
    scene.write("q/.env", "copy\n");
    // The last two have harmless names and replace links that the run removes.
    const read = "cat ~/.npmrc ~/.aws/credentials .env ~/dotfiles/plain ~/dotfiles/other";
    const move = "ln -s ~/dotfiles/moved .envrc; cat .envrc; rm .envrc; mv q/.env q/e; cat q/e";
    const learned = await scene.learn(["sh", "-c", `${read}; ${move}`]);
    expect(learned.stdout.split("\n")).toEqual([
      ...["npmrc", "awsc", "env", "plain", "other", "moved", "copy", ""],
    ]);
    expect(learned.stderr).toContain("it is a secret");
    expect(learned.stderr).toContain('"${PROJECT}/q/.env"');
    const all = names.map((name) => `~/dotfiles/${name}`).join(" ");
    const { stdout, stderr } = await scene.restricted(["sh", "-c", `cat ${all} q/e`]);
    expect(stdout).toBe("plain\nother\n");
    expect(stderr.match(/Permission denied/g)).toHaveLength(5);
  },
);
