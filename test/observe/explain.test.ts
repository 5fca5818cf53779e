/** `landlock-restrict explain` on real denials: what it reports and what it leaves alone. */
import { describe, expect } from "bun:test";
import { chmodSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cli, tempDir, testUnless } from "../harness.ts";
import { plainUser, userMissing } from "../other-user.ts";
import { explained, missingFor, runCli } from "./explained.ts";

const system = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc", "-rwfiles", "/dev/null"];

function folder(): string {
  const path = realpathSync(tempDir());
  // Some commands run as another user.
  chmodSync(path, 0o755);
  mkdirSync(join(path, "a"));
  mkdirSync(join(path, "b"));
  writeFileSync(join(path, "a", "file"), "text\n");
  return path;
}

describe("the denial, the right and the options", () => {
  const dir = folder();
  const rename = 'import os; os.rename("a/file", "b/file")';
  const python = ["python3", "-S", "-c"];
  const denials: [
    name: string,
    abi: number,
    options: string[],
    command: string[],
    denied: [kind: string, rights: string, program: string, times: number],
    flags: string[],
  ][] = [
    [
      "a file to read, twice",
      1,
      system,
      ["cat", "a/file", "a/file"],
      ["open", "read_file", "cat", 2],
      ["-rofiles", join(dir, "a/file")],
    ],
    [
      "a file to make",
      1,
      [...system, "-ro", "/"],
      ["sort", "-o", "b/sorted", "a/file"],
      ["open", "make_reg write_file", "sort", 1],
      ["-rw", join(dir, "b")],
    ],
    [
      "a folder to list",
      1,
      system,
      [...python, 'import os; os.listdir("a")'],
      ["open", "read_dir", "python3", 1],
      ["-list", join(dir, "a")],
    ],
    [
      "a program to start",
      1,
      ["-rw", dir],
      ["cat", "a/file"],
      ["execute", "read_file execute", "landlock-restrict", 1],
      ["-preset", "executable=cat"],
    ],
    [
      "a file to rename, which looks like another file system",
      2,
      [...system, "-rw", "a", "b"],
      [...python, rename],
      ["rename", "refer", "python3", 1],
      ["-rw", "+refer", join(dir, "a"), join(dir, "b")],
    ],
    [
      "a port to connect to",
      4,
      ["-rw", "/", "-connecttcp"],
      ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9"],
      ["port", "connect_tcp", "bash", 1],
      ["-connecttcp", "9"],
    ],
    [
      "a device's ioctl",
      5,
      ["-rw", "/"],
      [...python, 'import fcntl, os; fcntl.ioctl(os.open("/dev/ptmx", os.O_RDONLY), 0x5413)'],
      ["ioctl", "ioctl_dev", "python3", 1],
      ["-rofiles", "+ioctl_dev", "/dev/ptmx"],
    ],
  ];
  for (const [name, abi, options, command, [kind, rights, program, times], flags] of denials) {
    testUnless(missingFor(abi), name, () => {
      const { found, code } = explained(options, command, { cwd: dir });
      expect(code).not.toBe(0);
      const summary = found.denied.map(({ operation, rights: all, times: often }) => [
        operation.kind,
        all.join(" "),
        often,
      ]);
      expect(summary).toEqual([[kind, rights, times]]);
      const [only] = found.denied;
      expect(only!.program).toStartWith(program);
      expect(only!.errno).toBe(kind === "rename" ? "EXDEV" : "EACCES");
      expect(found.flags).toEqual(flags);
      expect(only!.flags).toEqual(flags);
    });
  }

  testUnless(missingFor(6), "a signal: no option but leaving one out", () => {
    const kill = ["bash", "-c", `kill -0 ${process.pid}`];
    const { found } = explained(["-rw", "/", "-scoped"], kill);
    expect(found.denied.map(({ errno, flags }) => [errno, flags])).toEqual([["EPERM", []]]);
    expect(runCli(["explain", "-rw", "/", "-scoped", "--", ...kill]).stderr).toContain(
      "leaving out -scoped",
    );
  });
});

describe("what is not Landlock's", () => {
  testUnless(missingFor(1) || userMissing, "ordinary permissions, even where both deny it", () => {
    const dir = folder();
    const secret = join(dir, "secret");
    writeFileSync(secret, "");
    chmodSync(secret, 0);
    const { found, stderr } = explained(system, ["cat", secret, join(dir, "a/file")], {
      // Root would be allowed.
      user: plainUser(),
    });
    expect(stderr.match(/Permission denied/g)).toHaveLength(2);
    expect(found.denied.map(({ operation }) => operation.path)).toEqual([join(dir, "a/file")]);
    expect(found.others).toMatchObject([
      { operation: { path: secret }, cause: "permission", verdict: "not this sandbox" },
    ]);
  });

  testUnless(missingFor(1), "a sandbox that the command makes for itself", () => {
    const file = join(folder(), "a/file");
    const inner = [...cli, ...system, "--", "cat", file];
    const { found, stderr } = explained(["-rw", "/"], inner);
    expect(stderr).toContain("Permission denied");
    expect(found.denied).toEqual([]);
    // Bun itself may read files of /proc before it becomes cat.
    const others = found.others.filter(({ operation }) => operation.path === file);
    expect(others).toMatchObject([{ cause: "nested" }]);
  });

  testUnless(missingFor(2), "a failure without a proven cause is not said to be another's", () => {
    const dir = folder();
    const command = ["ln", "/proc/self/status", join(dir, "b/file")];
    const { found } = explained(["-rw", "+refer", "/"], command);
    expect(found.denied).toEqual([]);
    expect(found.others).toMatchObject([
      { operation: { to: join(dir, "b/file") }, cause: "unknown" },
    ]);
    const { stderr } = runCli(["explain", "-rw", "+refer", "/", "--", ...command]);
    expect(stderr).toContain("Failed for a reason not known: link ");
    expect(stderr).toContain("add +refer");
    expect(stderr).not.toContain("not by this sandbox");
  });

  testUnless(missingFor(1), "missing files, and all that worked", () => {
    const { found, code } = explained(["-rw", "/"], ["sh", "-c", "cat /nowhere; ls /"]);
    expect(code).toBe(0);
    expect([found.denied, found.others, found.flags]).toEqual([[], [], []]);
  });
});

describe("the command", () => {
  testUnless(missingFor(1), "has its own input, output, arguments and status", () => {
    const script = 'cat; printf "%s|" "$@"; echo err >&2; exit 7';
    const run = explained(["-rw", "/"], ["sh", "-c", script, "sh", "a b", "--", "-ro"], {
      stdin: new TextEncoder().encode("in\n"),
    });
    expect(run).toMatchObject({ stdout: "in\na b|--|-ro|", stderr: "err", code: 7 });
    expect(run.found).toMatchObject({ exitCode: 7, signal: null });
  });

  testUnless(missingFor(1), "that a signal ends has the status that a shell gives it", () => {
    const { code, found } = explained(["-rw", "/"], ["sh", "-c", "kill -ABRT $$"]);
    expect([code, found.signal]).toEqual([134, "SIGABRT"]);
  });

  testUnless(missingFor(1), "is really restricted, by the same options", () => {
    const dir = folder();
    const script = "cat a/file; : >a/new; : >b/new";
    const options = [...system, "-ro", join(dir, "b"), "-rw", join(dir, "a"), "-clearenv"];
    const { stdout, found } = explained(options, ["sh", "-c", script], { cwd: dir });
    expect(stdout).toBe("text\n");
    expect(found.denied.map(({ operation }) => operation.path)).toEqual([join(dir, "b/new")]);
  });
});

describe("errors", () => {
  const cases: [name: string, words: string[], message: string, settings?: object][] = [
    ["no command", ["-ro", "/"], "There is no command: put it after --"],
    ["-fd", ["-fd", "77", "-ro", "/", "--", "true"], "-fd: 77 is not open"],
    ["a missing path", ["-ro", "/nowhere", "--", "true"], "open failed with ENOENT"],
    ["a rule that does not fit", ["-1", "-rw", "+refer", "/", "--", "true"], "refer"],
    ["no strace", ["-ro", "/", "--", "true"], "apt-get install strace", { env: { PATH: "/" } }],
  ];
  for (const [name, words, message, settings] of cases) {
    testUnless(missingFor(1), `${name}: 125, and no findings`, () => {
      const { stderr, code } = runCli(["explain", ...words], settings);
      expect(stderr).toContain(message);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(code).toBe(125);
    });
  }
});
