/** explain and learn as programs: any failure gives one line and the right status. */
import { describe, expect } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cli, tempDir, testUnless } from "../harness.ts";
import { explained, missingFor, PATH, runCli } from "./explained.ts";

const missing = missingFor(1);
const system = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc", "-rwfiles", "/dev/null"];

const kinds: [name: string, words: string[]][] = [
  ["explain", ["explain", "-ro", "/"]],
  ["learn", ["learn", "-o", "/tmp/landlock-never-written.toml"]],
];

const bash = Bun.which("bash", { PATH })!;

/** Runs a line of bash in which `"$@"` is this program. */
function shell(line: string, settings: { cwd?: string; env?: Record<string, string> } = {}) {
  const done = Bun.spawnSync([bash, "-c", line, "bash", ...cli], {
    stdin: "ignore",
    env: { PATH, HOME: tempDir(), ...settings.env },
    ...(settings.cwd === undefined ? {} : { cwd: settings.cwd }),
  });
  const { stdout, stderr, exitCode } = done;
  return { stdout: stdout.toString(), stderr: stderr.toString(), code: exitCode };
}

const oneLine = /^landlock-restrict: [^\n]+\n$/;

for (const [name, words] of kinds) {
  describe(name, () => {
    const command = [...words, "--", "sh", "-c", "echo ran"].map((word) => `'${word}'`).join(" ");

    testUnless(missing, `${name} refuses a current directory that was removed`, () => {
      const cwd = join(tempDir(), "gone");
      const run = shell(`mkdir gone && cd gone && rmdir ../gone && "$@" ${command}`, {
        cwd: tempDir(),
      });
      expect(existsSync(cwd)).toBe(false);
      expect(run).toMatchObject({ stdout: "", code: 125 });
      expect(run.stderr).toMatch(oneLine);
      expect(run.stderr).toContain("current directory");
    });

    testUnless(missing, `${name} refuses a current directory whose path is too long`, () => {
      const deep = `n=$(printf %0200d 0); for i in $(seq 25); do mkdir $n; cd $n; done 2>/dev/null`;
      const run = shell(`${deep}; "$@" ${command}`, { cwd: tempDir() });
      expect(run).toMatchObject({ stdout: "", code: 125 });
      expect(run.stderr).toMatch(oneLine);
    });

    testUnless(missing, `${name} runs no strace of the current directory or a package`, () => {
      const cwd = realpathSync(tempDir());
      const bin = join(cwd, "node_modules/.bin");
      mkdirSync(bin, { recursive: true });
      for (const path of [join(cwd, "strace"), join(bin, "strace")]) {
        writeFileSync(path, "#!/bin/sh\necho planted\n");
        chmodSync(path, 0o755);
      }
      for (const first of ["", ".", "./", bin, "node_modules/.bin"]) {
        const output = join(cwd, "policy.toml");
        const own = words.map((word) => (word.endsWith(".toml") ? output : word));
        const line = [...own, "--", "sh", "-c", "echo ran"].map((word) => `'${word}'`).join(" ");
        const run = shell(`rm -f policy.toml; "$@" ${line}`, {
          cwd,
          env: { PATH: `${first}:${PATH}` },
        });
        expect(run).toMatchObject({ stdout: "ran\n", code: 0 });
        const none = { PATH: `${first}:/nowhere` };
        const only = shell(`"$@" ${line.replace("policy", "other")}`, { cwd, env: none });
        expect(only).toMatchObject({ stdout: "", code: name === "learn" ? 127 : 125 });
        expect(only.stderr).toMatch(oneLine);
      }
    });

    testUnless(
      missing,
      `${name} keeps the command's status where standard error takes nothing`,
      () => {
        for (const to of ["2>/dev/full", "2>&-", "2> >(exit 0)"]) {
          const own = words
            .map((word) => (word.endsWith(".toml") ? "policy.toml" : word))
            .join(" ");
          const line = `"$@" ${own} -- sh -c 'echo ran; sleep 0.1; exit 3' ${to}`;
          expect(shell(line, { cwd: tempDir() })).toMatchObject({ stdout: "ran\n", code: 3 });
        }
      },
    );

    testUnless(missing, `${name} needs no TMPDIR and leaves nothing in it`, () => {
      const folder = tempDir();
      const env = { TMPDIR: folder };
      const own = words.map((word) => (word.endsWith(".toml") ? "policy.toml" : word)).join(" ");
      const run = shell(`"$@" ${own} -- true`, { cwd: tempDir(), env });
      expect([run.code, readdirSync(folder)]).toEqual([0, []]);
      rmdirSync(folder);
      expect(shell(`"$@" ${own} -- true`, { cwd: tempDir(), env }).code).toBe(0);
    });

    testUnless(missing, `${name} says so in a line where strace does nothing, or is killed`, () => {
      const bin = realpathSync(tempDir());
      const own = words.map((word) => (word.endsWith(".toml") ? "policy.toml" : word)).join(" ");
      for (const script of ["exit 7", "echo noise; kill -9 $$"]) {
        writeFileSync(join(bin, "strace"), `#!/bin/sh\n${script}\n`);
        chmodSync(join(bin, "strace"), 0o755);
        const env = { PATH: `${bin}:${PATH}` };
        const run = shell(`"$@" ${own} -- true`, { cwd: tempDir(), env });
        expect(run.code).toBe(125);
        expect(run.stderr).toMatch(oneLine);
      }
      const real = Bun.which("strace", { PATH })!;
      const killed = `#!/bin/sh\n(sleep 0.7; kill -9 $$) &\nexec ${real} "$@"\n`;
      writeFileSync(join(bin, "strace"), killed);
      const late = shell(`"$@" ${own} -- sh -c 'sleep 601.${process.pid}; echo x >late'`, {
        cwd: tempDir(),
        env: { PATH: `${bin}:${PATH}` },
      });
      expect(late.code).toBe(125);
      expect(late.stderr).toMatch(/strace ended with SIGKILL/);
      expect(late.stderr).toMatch(oneLine);
      const left = Bun.spawnSync(["ps", "-eo", "args"]).stdout.toString();
      expect(left).not.toContain(`601.${process.pid}`);
    });
  });
}

testUnless(
  missing,
  "explain tells that the command's descriptor was not passed on, and -fd passes it",
  () => {
    const options = system.join(" ");
    const without = shell(`"$@" explain ${options} -- cat <(echo text)`);
    expect(without.stdout).toBe("");
    expect(without.stderr).toMatch(
      /descriptor (\d+), which was open but not passed on: add -fd \1 /,
    );
    const fd = /descriptor (\d+)/.exec(without.stderr)![1]!;
    const passed = shell(`"$@" explain ${options} -fd ${fd} -- cat <(echo text)`);
    expect(passed).toMatchObject({ stdout: "text\n", code: 0 });
    expect(passed.stderr).not.toContain("descriptor");
    expect(shell(`"$@" explain ${options} -fd 77 -- true`).stderr).toMatch(/-fd: 77 is not open/);
  },
);

testUnless(missing, "learn hands descriptors on too, and names one that was missed", () => {
  const cwd = tempDir();
  const without = shell(`"$@" learn -o a.toml -- cat <(echo text)`, { cwd });
  const fd = /descriptor (\d+), which was open but not passed on: add -fd \1 /.exec(
    without.stderr,
  )![1]!;
  const passed = shell(`"$@" learn -o b.toml -fd ${fd} -- cat <(echo text)`, { cwd });
  expect(passed).toMatchObject({ stdout: "text\n", code: 0 });
  expect(passed.stderr).not.toContain("descriptor");
  const wrong = shell(`"$@" learn -o c.toml -fd 77 -- true`, { cwd });
  expect(wrong.code).toBe(125);
  expect(wrong.stderr).toMatch(/-fd: 77 is not open/);
});

testUnless(missing, "explain tells that a traced command cannot be traced again", () => {
  const { found } = explained(["-rw", "/"], ["strace", "-o", "/dev/null", "true"]);
  expect(found.notes.join()).toContain("cannot be traced again");
  expect(explained(["-rw", "/"], ["true"]).found.notes).toEqual([]);
});

describe("standard output", () => {
  const outputs = [["status"], ["status", "--json"], ["plan"], ["plan", "--json"], ["-h"]];
  for (const words of [...outputs, ["--version"], ["help", "learn"], ["explain", "-h"]]) {
    const name = words.join(" ");
    testUnless("", `${name} fails where its text cannot be written`, () => {
      const full = shell(`"$@" ${name} >/dev/full`);
      expect(full.code).toBe(125);
      expect(full.stderr).toMatch(oneLine);
      expect(full.stderr).toContain("ENOSPC");
      expect(runCli(words).code).toBe(0);
    });
  }

  testUnless("", "a pager that quits ends the program as SIGPIPE does", () => {
    const reader = shell(
      `mkfifo p; sleep 0.3 <p & (sleep 0.6; "$@" -h; echo $? >code) >p; cat code`,
      {
        cwd: tempDir(),
      },
    );
    expect(reader.stdout.trim()).toBe("141");
    expect(reader.stderr).toBe("");
  });
});

testUnless("", "a mistake of the program itself is one line, and no excerpt of its code", () => {
  const patch = join(tempDir(), "patch.ts");
  writeFileSync(patch, `JSON.stringify = () => { throw new TypeError("broken"); };`);
  const words = [process.execPath, "--preload", patch, ...cli.slice(1), "status", "--json"];
  const done = Bun.spawnSync(words, { stderr: "pipe" });
  expect(done.exitCode).toBe(125);
  expect(done.stderr.toString()).toBe(
    "landlock-restrict: unexpected error: broken; please report it\n",
  );
});
