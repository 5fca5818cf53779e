/** What explain says about real runs: what worked, what is proven, and what lasts. */
import { describe, expect } from "bun:test";
import { chmodSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempDir, testUnless } from "../harness.ts";
import { explained, missingFor, PATH, runCli } from "./explained.ts";

const system = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc", "-rwfiles", "/dev/null"];

function needs(abi: number, ...programs: string[]): string {
  const absent = programs.find((name) => Bun.which(name, { PATH }) === null);
  return absent === undefined ? missingFor(abi) : `needs ${absent}`;
}

/** A project in a home, with a folder for its files and one for others. */
function project(): string {
  const home = realpathSync(tempDir());
  const path = join(home, "src/app");
  for (const name of ["from", "to"]) mkdirSync(join(path, name), { recursive: true });
  writeFileSync(join(path, "file"), "text\n");
  return path;
}

const python = (script: string) => ["python3", "-S", "-c", script];
const tolerant = (call: string, paths: string) => `
import os
for path in ${paths}:
  try: ${call}
  except OSError: pass
`;

describe("status 0", () => {
  testUnless(needs(1, "python3"), "means that nothing needs adding, whatever was denied", () => {
    const cwd = project();
    const script = `${tolerant("os.listdir(path)", '["..", "../..", "/", "/etc/..", "."]')}
${tolerant("open(path)", '["file", "/proc/1/stat", "/sys/kernel/mm/transparent_hugepage/enabled"]')}`;
    const { found, code } = explained(system, python(script), { cwd });
    expect([code, found.flags, found.policy]).toEqual([0, [], ""]);
    expect(found.denied.length).toBeGreaterThanOrEqual(7);
    for (const { flags, verdict } of found.denied)
      expect([flags, verdict]).toEqual([[], "harmless"]);
    const { stderr } = runCli(["explain", ...system, "--", ...python(script)], { cwd });
    expect(stderr).toContain("It worked: nothing needs adding. It worked without ");
    expect(stderr).not.toMatch(/ALLOWED BY|To allow it|Not advised/);
  });

  testUnless(
    needs(1, "python3"),
    "is needed for that: else files are advised, parents are not",
    () => {
      const cwd = project();
      const script = `${tolerant("os.listdir(path)", '["..", "../..", "/"]')}open("file")`;
      const { found } = explained(system, python(script), { cwd });
      expect(found.flags).toEqual(["-rofiles", join(cwd, "file")]);
      expect(found.denied.map(({ verdict }) => verdict)).toEqual([
        ...["harmless", "harmless", "harmless", "needed"],
      ]);
    },
  );
});

describe("a failure that looks like another file system", () => {
  const cases: [name: string, script: string][] = [
    [
      "of a file that is removed afterwards",
      `import os
open("from/f", "w").close()
try: os.rename("from/f", "to/f")
except OSError: pass
os.remove("from/f")
raise SystemExit(1)`,
    ],
    [
      "of a directory that is removed afterwards",
      `import os
os.mkdir("from/d")
try: os.rename("from/d", "to/d")
except OSError: pass
os.rmdir("from/d")
raise SystemExit(1)`,
    ],
    [
      "of a file without a name",
      `import ctypes, os
fd = os.open("from", os.O_TMPFILE | os.O_RDWR, 0o600)
name = f"/proc/self/fd/{fd}".encode()
ctypes.CDLL(None).linkat(-100, name, -100, b"to/x", 0x400)
raise SystemExit(1)`,
    ],
  ];
  for (const [name, script] of cases) {
    testUnless(needs(2, "python3"), `${name} is proven to be refer`, () => {
      const cwd = project();
      const options = [...system, "-ro", "/proc", "-rw", join(cwd, "from"), join(cwd, "to")];
      const { found } = explained(options, python(script), { cwd });
      const words = ["-rw", "+refer", join(cwd, "to"), join(cwd, "from")];
      expect(found.others).toEqual([]);
      expect(found.denied.at(-1)).toMatchObject({
        errno: "EXDEV",
        rights: ["refer"],
        flags: words,
      });
      expect(found.flags.join(" ")).toContain(words.join(" "));
    });
  }
});

testUnless(needs(1, "python3"), "in another root, paths are those that this one sees", () => {
  if (process.getuid!() !== 0) return;
  const cwd = project();
  const script = `import os; os.chroot(${JSON.stringify(cwd)}); open("/file")`;
  const { found } = explained(system, python(script), { cwd });
  expect(found.flags).toEqual(["-rofiles", join(cwd, "file")]);
});

testUnless(needs(1, "python3"), "another user's permissions are not judged by one's own", () => {
  if (process.getuid!() !== 0) return;
  const cwd = project();
  for (const path of [cwd, join(cwd, ".."), join(cwd, "../..")]) chmodSync(path, 0o755);
  chmodSync(join(cwd, "file"), 0o600);
  const script = 'import os; os.setresuid(65534, 65534, 65534); open("file")';
  const denied = explained(system, python(script), { cwd });
  expect(denied.found.notes.join()).toContain("became another user");
  const { found } = explained([...system, "-ro", join(cwd, "file")], python(script), { cwd });
  expect([found.denied, found.flags]).toEqual([[], []]);
  expect(found.others).toMatchObject([
    { verdict: "unknown", operation: { path: join(cwd, "file") } },
  ]);
  const own = 'import os; os.setresuid(-1, os.getuid(), -1); os.setgid(os.getgid()); open("file")';
  expect(explained(system, python(own), { cwd }).found.notes.join()).not.toContain("another user");
});

testUnless(needs(1, "python3"), "a file that the run replaces: its directory, and why", () => {
  const cwd = project();
  const policy = join(cwd, "policy.toml");
  const access = ["make_reg", "remove_file", "write_file", "truncate"];
  const file = join(cwd, "from/conf");
  writeFileSync(file, "old");
  writeFileSync(
    policy,
    `bestEffort = true
ro = ["/usr", "/bin", "/lib", "/lib64", "/etc"]
roFiles = ["from/conf"]
paths = [{ access = ${JSON.stringify(access)}, paths = ["from"] }]`,
  );
  const save =
    'import os; open("from/new", "w").close(); os.replace("from/new", "from/conf"); open("from/conf")';
  const { found } = explained(["-policy", policy], python(save), { cwd });
  expect(found.flags).toEqual(["-ro", join(cwd, "from")]);
  expect(found.notes.join()).toContain(`The command replaced ${file}`);
  const added = explained(["-policy", policy, ...found.flags], python(save), { cwd });
  expect([added.code, added.found.flags]).toEqual([0, []]);
});

testUnless(needs(1, "cat"), "a program that is called by two names is advised once", () => {
  const sh = ["-preset", "executable=sh", "executable=false"];
  const { found } = explained(sh, ["sh", "-c", "cat x; /usr/bin/cat x; false"]);
  expect(found.flags).toEqual(["-preset", "executable=cat"]);
});

testUnless(needs(1, "mkdir"), "a directory that the run makes is one that a rule makes", () => {
  const cwd = project();
  mkdirSync(join(cwd, ".git/hooks"), { recursive: true });
  const command = ["sh", "-c", "mkdir -p out/a && echo x >out/a/b"];
  const { found } = explained([...system, "-ro", "/proc"], command, { cwd });
  const out = join(cwd, "out");
  expect(found.flags).toEqual(["-rw", "+create_missing", out]);
  expect(found.policy).toBe(
    `paths = [{ access = "rw", paths = ["${out}"], ifMissing = "create" }]`,
  );
  expect(runCli([...system, "-ro", "/proc", ...found.flags, "--", ...command], { cwd }).code).toBe(
    0,
  );
});
