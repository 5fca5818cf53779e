/** A policy is written whole or not at all, and never over another user's file. */
import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname as parentOf, join } from "node:path";
import { Folder } from "../../src/learn/folder.ts";
import { writeWhole as writeIn } from "../../src/learn/write.ts";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { Scene } from "./scene.ts";

const missing = needsStrace || (kernelAbi < 1 ? "needs Landlock" : "");

function writeWhole(path: string, text: string, before: string | undefined): void {
  const folder = new Folder(path, parentOf(path));
  try {
    writeIn(path, text, before, folder);
  } finally {
    folder.close();
  }
}

test("a new file has the mode of any other, and nothing is left beside it", () => {
  const folder = tempDir();
  const before = process.umask(0o027);
  try {
    writeWhole(join(folder, "p.toml"), "text", undefined);
  } finally {
    process.umask(before);
  }
  expect(readFileSync(join(folder, "p.toml"), "utf8")).toBe("text");
  expect(statSync(join(folder, "p.toml")).mode & 0o777).toBe(0o640);
  expect(readdirSync(folder)).toEqual(["p.toml"]);
});

test("a file that is replaced keeps its mode and its owner", () => {
  const path = join(tempDir(), "p.toml");
  writeFileSync(path, "old");
  chmodSync(path, 0o604);
  if (process.getuid?.() === 0) chownSync(path, 12_345, 54_321);
  const { mode, uid, gid, ino } = statSync(path);
  writeWhole(path, "new", "old");
  const after = statSync(path);
  expect(readFileSync(path, "utf8")).toBe("new");
  expect([after.mode, after.uid, after.gid]).toEqual([mode, uid, gid]);
  // Replaced by a rename, not overwritten.
  expect(after.ino).not.toBe(ino);
});

test("what came or changed meanwhile stays, be it a link that leads nowhere", () => {
  const folder = tempDir();
  const target = join(folder, "target");
  writeFileSync(target, "old");
  const cases: [name: string, before: string | undefined, why: string][] = [
    ["file", undefined, "there is a file by now"],
    ["link", undefined, "there is a file by now"],
    ["dangling", undefined, "there is a file by now"],
    ["folder", undefined, "there is a file by now"],
    ["file", "other", "somebody changed it meanwhile"],
    ["link", "old", "somebody changed it meanwhile"],
    ["gone", "old", "ENOENT"],
  ];
  linkSync(target, join(folder, "file"));
  symlinkSync("target", join(folder, "link"));
  symlinkSync("nowhere", join(folder, "dangling"));
  mkdirSync(join(folder, "folder"));
  const all = readdirSync(folder).sort();
  for (const [name, before, why] of cases) {
    expect(() => writeWhole(join(folder, name), "new", before)).toThrow(why);
  }
  expect(readdirSync(folder).sort()).toEqual(all);
  expect(readFileSync(target, "utf8")).toBe("old");
  expect(lstatSync(join(folder, "dangling")).isSymbolicLink()).toBe(true);
  expect(existsSync(join(folder, "nowhere"))).toBe(false);
});

test("where there is no room, the old text stays whole, and a new file is none", () => {
  const folder = tempDir();
  writeFileSync(join(folder, "old.toml"), "old");
  const source = (name: string) => JSON.stringify(join(import.meta.dir, "../../src/learn", name));
  const script = `
    const { writeWhole } = await import(${source("write.ts")});
    const { Folder } = await import(${source("folder.ts")});
    const text = "x".repeat(100_000);
    for (const [name, before] of [["old.toml", "old"], ["new.toml", undefined]]) {
      const path = ${JSON.stringify(folder)} + "/" + name;
      try {
        writeWhole(path, text, before, new Folder(path, ${JSON.stringify(folder)}));
        console.log("written");
      }
      catch (error) { console.log(error.message); }
    }`;
  // Simulates a full disk, apart from the errno: this process may only write small files.
  const limited = ["sh", "-c", 'ulimit -f 4; exec "$0" -e "$1"', process.execPath, script];
  const { stdout, stderr } = Bun.spawnSync(limited);
  const why = "it failed with EFBIG; what was there is unchanged, so learn again";
  expect(stdout.toString() + stderr.toString()).toBe(
    ["old", "new"].map((name) => `Cannot write "${folder}/${name}.toml": ${why}\n`).join(""),
  );
  expect(readdirSync(folder)).toEqual(["old.toml"]);
  expect(readFileSync(join(folder, "old.toml"), "utf8")).toBe("old");
});

testUnless(missing, "learn refuses links and folders before anything runs", async () => {
  const scene = new Scene(tempDir());
  const policy = (name: string) => join(scene.folder, name);
  writeFileSync(policy("p.toml"), "bestEffort = true\n");
  symlinkSync("p.toml", policy("link.toml"));
  symlinkSync("nowhere.toml", policy("dangling.toml"));
  mkdirSync(policy("folder.toml"));
  const ran = ["touch", "ran"];
  for (const [name, options, why] of [
    ["link.toml", [], "exists: add -merge"],
    ["link.toml", ["-merge"], "is a symbolic link: name the file that it leads to"],
    ["dangling.toml", [], "exists: add -merge"],
    ["dangling.toml", ["-merge"], "is a symbolic link"],
    ["folder.toml", ["-merge"], "is not a regular file"],
  ] as const) {
    const { code, stderr } = await scene.run(scene.learning(policy(name), ran, options));
    expect([name, code]).toEqual([name, 125]);
    expect(stderr).toContain(why);
  }
  expect(existsSync(join(scene.project, "ran"))).toBe(false);
  expect(existsSync(policy("nowhere.toml"))).toBe(false);
  expect(readFileSync(policy("p.toml"), "utf8")).toBe("bestEffort = true\n");
});

const foreign = missing || (process.getuid?.() === 0 ? "" : "needs root: files of others");

testUnless(
  foreign,
  "learn extends no policy, and makes none, that -policy would refuse",
  async () => {
    const scene = new Scene(tempDir());
    const text = "bestEffort = true\n";
    const stranger = 65534;
    const place = (name: string, change: (folder: string, policy: string) => void) => {
      const folder = join(scene.folder, name);
      mkdirSync(folder);
      writeFileSync(join(folder, "p.toml"), text);
      change(folder, join(folder, "p.toml"));
      return folder;
    };
    const shared = (folder: string) => chmodSync(folder, 0o1777);
    const give = (path: string) => chownSync(path, stranger, stranger);
    place("linked", give);
    const folders = [
      place("sticky", (folder, policy) => (shared(folder), give(policy))),
      place("theirs", give),
      place("for-all", (folder) => chmodSync(folder, 0o777)),
      place("for-a-group", (folder) => (chownSync(folder, 0, 100), chmodSync(folder, 0o775))),
      place("by-all", (_, policy) => chmodSync(policy, 0o666)),
      place("by-a-group", (_, policy) => (chownSync(policy, 0, 100), chmodSync(policy, 0o664))),
      place("by-link", (folder) => symlinkSync("../linked", join(folder, "sub"))),
    ];
    let refusals = 0;
    const plan = [...scene.learning("", []).slice(0, -4), "plan", "-policy"];
    for (const folder of folders) {
      for (const [policy, isOld] of [
        ["p.toml", true],
        ["new.toml", false],
        ["sub/p.toml", true],
      ] as const) {
        const path = join(folder, policy);
        if (existsSync(path) !== isOld) continue;
        if (!isOld) writeFileSync(path, text);
        const refused = await scene.run([...plan, path]);
        if (!isOld) rmSync(path);
        if (!refused.stderr.includes("Cannot trust")) continue;
        const learned = await scene.run(scene.learning(path, ["touch", "ran"], ["-merge"]));
        expect([path, learned.code, learned.stderr]).toEqual([path, 125, refused.stderr]);
        if (isOld) expect(readFileSync(path, "utf8")).toBe(text);
        else expect(existsSync(path)).toBe(false);
        refusals++;
      }
    }
    expect(refusals).toBe(10);
    expect(existsSync(join(scene.project, "ran"))).toBe(false);
  },
);

testUnless(missing, "-policy takes what learn writes, whatever the umask", async () => {
  const scene = new Scene(tempDir());
  scene.write("a", "a");
  const command = scene.learning(scene.policy, ["cat", "a"]);
  const { code } = await scene.run(["sh", "-c", 'umask 0; exec "$0" "$@"', ...command]);
  expect(code).toBe(0);
  expect(statSync(scene.policy).mode & 0o777).toBe(0o644);
  expect((await scene.restricted(["cat", "a"])).stdout).toBe("a");
});

testUnless(
  missing,
  "a policy that came while the command ran stays, and the command's status counts",
  async () => {
    const scene = new Scene(tempDir());
    const command = ["sh", "-c", `echo mine >${scene.policy}; ls ..; exit 7`];
    const { code, stderr, stdout } = await scene.learn(command);
    expect(code).toBe(7);
    expect(readFileSync(scene.policy, "utf8")).toBe("mine\n");
    expect(stderr).toContain(`Cannot write "${scene.policy}": there is a file by now`);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).toContain("policy.toml");
  },
);

testUnless(
  missing,
  "a policy is not written through a link, or into another folder, that took its folder's place",
  async () => {
    for (const [command, replaces] of [
      ["mv sub sub2; ln -s other sub", true],
      ["mv sub sub2; mv other sub", true],
      ["mv up up2; mkdir up; ln -s ../other up/sub", true],
      ["rm -r sub up/sub; ln -s other sub; ln -s ../other up/sub", true],
      ["mv link link2; ln -s other link", true],
      ["mv sub sub2; ln -s sub2 sub", false],
    ] as const) {
      const scene = new Scene(tempDir());
      for (const name of ["sub/a", "other/a", "up/sub/a"]) scene.write(name, "a");
      symlinkSync("sub", join(scene.project, "link"));
      const place = /\bup\b/.test(command) ? "up/sub" : command.includes("link2") ? "link" : "sub";
      const { code, stderr } = await scene.run(
        scene.learning(`${place}/policy.toml`, ["sh", "-c", `${command}; exit 3`]),
      );
      expect([command, code]).toEqual([command, 3]);
      expect(stderr.includes("the command moved or replaced its folder")).toBe(replaces);
      const written = [...new Bun.Glob("**/policy.toml*").scanSync(scene.project)];
      expect([command, written]).toEqual([command, replaces ? [] : ["sub2/policy.toml"]]);
    }
  },
);
