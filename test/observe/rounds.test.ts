/** Exactly the options that `explain` prints, added round by round, make a command work. */
import { expect } from "bun:test";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempDir, testUnless } from "../harness.ts";
import { explained, missingFor, PATH, runCli, type RunSettings } from "./explained.ts";

/** The options added in each round, until the command worked. */
function rounds(
  options: readonly string[],
  command: readonly string[],
  settings: RunSettings,
  most: number,
) {
  const added: (readonly string[])[] = [];
  for (;;) {
    const { code, found, stderr } = explained([...options, ...added.flat()], command, settings);
    if (code === 0) break;
    if (found.flags.length === 0) throw new Error(`no option helps: ${stderr}`);
    if (added.length === most) throw new Error(`not after ${most} rounds: ${stderr}`);
    added.push(found.flags);
  }
  return { added, run: runCli([...options, ...added.flat(), "--", ...command], settings) };
}

function folder(): string {
  const path = realpathSync(tempDir());
  mkdirSync(join(path, "a"));
  mkdirSync(join(path, "b"));
  writeFileSync(join(path, "a", "file"), "text\n");
  return path;
}

function needs(...programs: string[]): string {
  const missing = programs.filter((name) => Bun.which(name, { PATH }) === null);
  return missing.length > 0 ? `needs ${missing.join(", ")}` : missingFor(3);
}

const libraries = ["-ro", "/usr/lib", "/lib", "/lib64"];

testUnless(needs("cat"), "cat, from nothing", () => {
  const cwd = folder();
  const { added, run } = rounds(["-rwfiles", "/dev/null"], ["cat", "a/file"], { cwd }, 3);
  expect(added[0]).toEqual(["-preset", "executable=cat"]);
  expect(added[1]).toContain(join(cwd, "a/file"));
  expect(run).toEqual({ stdout: "text\n", stderr: "", code: 0 });
});

testUnless(needs("git"), "git log, from nothing", () => {
  const cwd = folder();
  const who = ["-c", "user.name=a", "-c", "user.email=a@b.example"];
  for (const words of [
    ["init", "--quiet"],
    [...who, "commit", "--quiet", "--allow-empty", "--message=first"],
  ]) {
    Bun.spawnSync(["git", "-C", cwd, ...words], { env: { PATH } });
  }
  const command = ["git", "log", "--format=%s"];
  const { added, run } = rounds(["-rofiles", "/dev/zero"], command, { cwd }, 6);
  expect(added[0]).toEqual(["-preset", "executable=git"]);
  expect(added.flat()).toContain(join(cwd, ".git"));
  expect(run).toMatchObject({ stdout: "first\n", code: 0 });
});

testUnless(
  needs("python3"),
  "python3 with imports, from nothing",
  () => {
    const script = "import json, sqlite3, zoneinfo; print(json.dumps([1]))";
    const { added, run } = rounds(["-rofiles", "/dev/zero"], ["python3", "-c", script], {}, 6);
    expect(added[0]).toEqual(["-preset", "executable=python3"]);
    expect(run).toMatchObject({ stdout: "[1]\n", code: 0 });
    // Folders instead of their hundreds of files.
    expect(added.flat().length).toBeLessThan(40);
  },
  60_000,
);

testUnless(needs("sort", "mv", "ln"), "files that are made, moved and linked", () => {
  const cwd = folder();
  const script =
    "sort -o b/sorted a/file && mv b/sorted a/sorted && ln a/sorted b/linked && rm b/*";
  const command = ["sh", "-e", "-c", script];
  const { added } = rounds([...libraries, "-ro", "/usr", "/bin"], command, { cwd }, 6);
  expect(added.flat()).toContain("+refer");
});

testUnless(needs("bash") || missingFor(4), "ports to connect to", () => {
  using first = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  using second = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const open = (port: number) => `exec 3<>/dev/tcp/127.0.0.1/${port}`;
  const script = `(${open(first.port)}) & wait $!; a=$?; (${open(second.port)}) && exit $a`;
  const options = ["-rw", "+ioctl_dev", "/", "-connecttcp"];
  const { added } = rounds(options, ["bash", "-c", script], {}, 1);
  const ports = [first.port, second.port].sort((a, b) => a - b).map(String);
  expect(added).toEqual([["-connecttcp", ...ports]]);
});

testUnless(missingFor(1), "a Bun that aborts, and one that reports a missing folder", () => {
  const cwd = folder();
  const bun = process.execPath;
  const { found } = explained(
    [...libraries, "-preset", `executable=${bun}`],
    [bun, "-e", "console.log(1)"],
    { cwd },
  );
  expect(found.signal).toBe("SIGABRT");
  expect(found.flags).toEqual(expect.arrayContaining(["-preset", "bun=children"]));
  expect(found.notes.join()).toContain("SIGABRT");
  const command = [bun, "-e", "console.log(1)"];
  const { added, run } = rounds(["-rofiles", "/dev/zero"], command, { cwd }, 4);
  // What Bun cannot start without is granted with its program, before it aborts.
  expect(added[0]).toContain("bun=children");
  expect(run).toMatchObject({ stdout: "1\n", code: 0 });
});

testUnless(needs("getent"), "looking up names: the preset for it", () => {
  const options = ["-ro", "/usr", "/bin", "/lib", "/lib64", "-rofiles", "/etc/ld.so.cache"];
  const { found } = explained(options, ["getent", "ahosts", "name.invalid"]);
  expect(found.flags).toEqual(expect.arrayContaining(["-preset", "dns"]));
  expect(found.notes.join()).toContain("EAI_AGAIN");
});

testUnless(needs("cat", "sh"), "many files of one folder: the folder", () => {
  const cwd = folder();
  const names = Array.from({ length: 40 }, (_, i) => join(cwd, "b", `file ${i}`));
  for (const name of names) writeFileSync(name, "x");
  const options = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc"];
  const { added } = rounds(options, ["cat", ...names], { cwd }, 1);
  expect(added).toEqual([["-ro", join(cwd, "b")]]);
});

testUnless(needs("cat"), "a policy's lines, as good as the options", () => {
  const cwd = folder();
  const file = join(cwd, "policy.toml");
  const paths =
    '[[paths]]\naccess = "ro"\npaths = ["/usr", "/bin", "/lib", "/lib64"]\nifMissing = "skip"\n';
  const write = (lines: string) => writeFileSync(file, `bestEffort = true\n${lines}\n${paths}`);
  write("");
  const command = ["cat", "a/file"];
  const { code, found } = explained(["-policy", file], command, { cwd });
  expect(code).toBe(1);
  write(found.policy);
  expect(runCli(["-policy", file, "--", ...command], { cwd }).stdout).toBe("text\n");
});
