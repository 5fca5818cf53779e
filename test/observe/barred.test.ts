/**
 * Cases that no rule allows or that are uncertain: `explain` and `learn` claim exactly what is
 * known.
 */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { permitted } from "../../src/explain/ordinary.ts";
import { cli, tempDir, testUnless } from "../harness.ts";
import { plainUser, userMissing } from "../other-user.ts";
import { explained, missingFor, PATH, runCli } from "./explained.ts";
import { needsStrace } from "./strace.ts";

const system = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc", "-rwfiles", "/dev/null"];
const python = (script: string) => ["python3", "-I", "-S", "-c", script];
const root = process.getuid?.() === 0 ? "" : "needs root";

/** Calls a C function and prints the errno. */
const call = (words: string) =>
  `import ctypes; c = ctypes.CDLL(None, use_errno=True); r = c.${words}; print(ctypes.get_errno())`;

describe("calls that no rule allows", () => {
  const mounts: [name: string, words: string][] = [
    ["mount", 'mount(b"none", b"/mnt", b"tmpfs", 0, None)'],
    ["umount2", 'umount2(b"/proc", 0)'],
    ["pivot_root", 'syscall(155, b"/", b"/")'],
    ["move_mount", 'syscall(429, c.open(b"/usr", 0x200000), b"", -100, b"/mnt", 4)'],
  ];
  for (const [name, words] of mounts) {
    const isHere = process.arch === "x64" || name === "mount" || name === "umount2";
    testUnless(missingFor(1) || root || (isHere ? "" : "has other numbers"), name, () => {
      const command = python(call(words));
      const { stdout, found } = explained([...system, "-ro", "/proc"], command);
      expect(stdout).toBe("1\n");
      expect(found.denied).toMatchObject([
        { operation: { kind: "mount", call: name }, errno: "EPERM", rights: [], flags: [] },
      ]);
      expect(found.notes.join()).toContain("it denies all changes of mounts");
    });
  }

  testUnless(missingFor(1) || root, "in the table, and not where no path is restricted", () => {
    const command = python(call('mount(b"none", b"/mnt", b"tmpfs", 0x20, None)'));
    const failing = ["sh", "-c", '"$@"; false', "sh", ...command];
    const { stderr } = runCli(["explain", ...system, "-ro", "/proc", "--", ...failing]);
    expect(stderr).toContain("Landlock denied 1 operation");
    expect(stderr).toMatch(/^mount +\/mnt +1 +python3\S* +no rule$/m);
    expect(stderr).not.toContain("To allow it");
  });

  testUnless(missingFor(1), "tracing a process outside, but not one's own child", () => {
    const outside = python(call(`ptrace(16, ${process.pid}, None, None)`));
    const { stdout, found } = explained(["-rw", "/"], outside);
    expect(stdout).toBe("1\n");
    expect(found.denied).toMatchObject([{ operation: { kind: "trace", call: "ptrace" } }]);
    const inside = "import os, ctypes; ctypes.CDLL(None).ptrace(16, os.getpid(), None, None)";
    expect(explained(["-rw", "/"], python(inside)).found.denied).toEqual([]);
  });

  testUnless(needsStrace || root, "learn tells of mounts", () => {
    const policy = join(tempDir(), "policy.toml");
    const command = ["unshare", "-m", "true"];
    const { stderr, code } = runCli(["learn", "-o", policy, "--", ...command]);
    expect(code).toBe(0);
    expect(stderr).toContain("no rule can allow it: Landlock denies changing mounts");
    expect(readFileSync(policy, "utf8")).toMatch(/^# +mount$/m);
  });
});

testUnless(missingFor(1), "the interpreter of a script is named where it was denied", () => {
  const script = join(realpathSync(tempDir()), "script");
  writeFileSync(script, "#!/bin/sh\n", { mode: 0o755 });
  const options = ["-ro", "/usr/lib", "-rofiles", script];
  const shell = realpathSync("/bin/sh");
  const { found } = explained(options, [script]);
  expect(found.denied.map(({ denials }) => denials[0]!.path)).toEqual([shell]);
  const { stderr } = runCli(["explain", ...options, "--", script]);
  expect(stderr).toContain(` ${script} → ${shell} `);
});

describe("what is not certain", () => {
  test("permissions prove nothing if they may have changed since the run began", () => {
    const file = join(tempDir(), "file");
    // Not even root may execute it.
    writeFileSync(file, "", { mode: 0o644 });
    const execute = { kind: "execute", path: file } as const;
    expect(permitted(execute, Date.now() + 60_000)).toBeFalse();
    expect(permitted(execute, Date.now() - 60_000)).toBeTrue();
  });

  testUnless(missingFor(1), "a file that gets no name where none may be made", () => {
    const folder = realpathSync(tempDir());
    const script = `import os; f = os.open("/tmp", os.O_TMPFILE | os.O_RDWR); os.link(f"/proc/self/fd/{f}", "${folder}/x", follow_symlinks=True)`;
    const { stderr } = runCli([
      "explain",
      "-rw",
      "/",
      "--",
      ...python(script.replace("/tmp", "/nowhere")),
    ]);
    expect(stderr).toContain("Landlock denied nothing.");
    const options = ["explain", ...system, "-ro", "/proc", "-rw", "/tmp/", "--"];
    expect(runCli([...options, ...python(script)]).stderr).not.toContain("denied nothing");
  });

  for (const change of [
    "os.chmod(f, 0)",
    "os.remove(f); os.close(os.open(f, os.O_CREAT | os.O_WRONLY, 0))",
  ]) {
    testUnless(missingFor(1) || userMissing, `a file that is denied before ${change}`, () => {
      const user = plainUser();
      const folder = realpathSync(tempDir());
      chmodSync(folder, 0o777);
      const script = `import os
f = "${folder}/made"
try: open(f)
except OSError as e: print(e.errno)
${change}`;
      const file = join(folder, "made");
      Bun.spawnSync([...user.prefix, "sh", "-c", `: >${file}`], { cwd: "/" });
      const access = ["make_reg", "remove_file", "write_file"];
      const text = `bestEffort = true\n[[paths]]\naccess = ${JSON.stringify(access)}\npaths = ["${folder}"]\n`;
      // The policy must be the user's own, in a folder that only the user may write.
      const own = join(realpathSync(tempDir()), "own");
      Bun.spawnSync(["mkdir", "-m", "755", own]);
      writeFileSync(join(own, "policy.toml"), text);
      chmodSync(join(own, ".."), 0o755);
      chmodSync(join(own, "policy.toml"), 0o644);
      const options = ["-policy", join(own, "policy.toml"), ...system, "-ro", "/proc"];
      const { stdout, found } = explained(options, python(script), { user });
      expect(stdout).toBe("13\n");
      const failed = [...found.denied, ...found.others].map(({ operation }) => operation.path);
      expect(failed).toEqual([file]);
      // It may be missing at the moment it is looked up.
      expect(found.others.filter(({ cause }) => cause !== "unknown")).toEqual([]);
      if (change.includes("chmod")) expect(found.denied).toMatchObject([{ rights: ["read_file"] }]);
    });
  }
});

describe("learn writes no policy", () => {
  const commands: [name: string, text: string, mode: number, code: number, why: string][] = [
    ["for a file that may not be executed", "#!/bin/sh\n", 0o644, 126, "EACCES"],
    ["for a missing interpreter", "#!/nowhere/sh\n", 0o755, 127, '"/nowhere/sh" is not there'],
    ["for a script without a #! line", "echo\n", 0o755, 126, "ENOEXEC"],
    ["for an empty file", "", 0o755, 126, "ENOEXEC"],
  ];
  for (const [name, text, mode, code, why] of commands) {
    testUnless(needsStrace, `${name}, and says why in one line`, () => {
      const cwd = tempDir();
      writeFileSync(join(cwd, "tool"), text);
      chmodSync(join(cwd, "tool"), mode);
      const run = runCli(["learn", "-o", "policy.toml", "--", "./tool"], { cwd });
      expect(run.stderr).toContain(why);
      expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
      expect([run.code, existsSync(join(cwd, "policy.toml"))]).toEqual([code, false]);
    });
  }

  testUnless(needsStrace, "for a missing file or a damaged program", () => {
    const cwd = tempDir();
    const learn = ["learn", "-o", "policy.toml", "--"];
    const gone = runCli([...learn, "./tool"], { cwd });
    expect([gone.code, gone.stderr.match(/\n/g)]).toEqual([127, ["\n"]]);
    writeFileSync(join(cwd, "tool"), "\x7fELF", { mode: 0o755 });
    const damaged = runCli([...learn, "./tool"], { cwd });
    expect(damaged.stderr).toContain("for another CPU");
    expect([damaged.code, existsSync(join(cwd, "policy.toml"))]).toEqual([126, false]);
  });

  const reaches: [name: string, script: string][] = [
    [
      "the pipe that strace writes to",
      `import glob, os
for f in glob.glob(f"/proc/{os.getppid()}/fd/*"):
  if os.readlink(f).startswith("pipe:"): open(f, "w").write("12 getpid() = 1\\n")`,
    ],
    [
      "the pipe that is read",
      `import glob, os
parent = open(f"/proc/{os.getppid()}/stat").read().rsplit(")")[1].split()[1]
for f in glob.glob(f"/proc/{parent}/fd/*"):
  try:
    if os.readlink(f).startswith("pipe:"): os.open(f, os.O_RDONLY | os.O_NONBLOCK)
  except OSError: pass`,
    ],
    ["the memory of strace", `import os; open(f"/proc/{os.getppid()}/mem", "rb")`],
  ];
  for (const [name, script] of reaches) {
    testUnless(needsStrace, `for a program that opens ${name}`, () => {
      const cwd = tempDir();
      const { stderr, code } = runCli(["learn", "-o", "policy.toml", "--", ...python(script)], {
        cwd,
      });
      expect(stderr).toContain("the report may be forged");
      expect([code, existsSync(join(cwd, "policy.toml"))]).toEqual([0, false]);
    });
  }
});

const noSpace = 'ulimit -v 500000; exec "$@"';
const runsBun = Bun.spawnSync(["sh", "-c", noSpace, "sh", process.execPath, "-e", "1"]).success;

testUnless(runsBun ? needsStrace : "Bun needs more", "too little address space is one line", () => {
  for (const words of [
    ["explain", "-ro", "/"],
    ["-ro", "/"],
    ["learn", "-o", "x.toml"],
  ]) {
    const command = [...cli, ...words, "--", "true"];
    const run = Bun.spawnSync(["sh", "-c", noSpace, "sh", ...command], {
      cwd: tempDir(),
      env: { PATH },
    });
    expect(run.stderr.toString()).toMatch(/^landlock-restrict: .*\n$/);
    expect(run.exitCode).toBe(125);
  }
});
