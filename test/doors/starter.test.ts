/** The sh lines that start the command line: which Bun they choose, and where they work. */
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { kernelAbi, run, tempDir, testFromAbi, testUnless } from "../harness.ts";
import { bunFlags, nullDeviceReplaced } from "../../src/cli/start.ts";
import { needsStrace } from "../observe/strace.ts";
import { bunFirst, writeStarted } from "../started.ts";

/** Writes a program named like Bun that reports that it ran. */
function plantBun(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "bun"), "#!/bin/sh\necho planted\n", { mode: 0o755 });
}

const version = /^landlock-restrict \d/;
/** Takes all descriptors that sh can name. */
const openAll = "exec 3<&0 4<&0 5<&0 6<&0 7<&0 8<&0 9<&0";

describe("Bun is not taken from", () => {
  test("the folder that bun run makes in /tmp, one's own included", () => {
    const folder = join(tempDir(), "bun-node-0-1234");
    plantBun(folder);
    const PATH = `${folder}:${dirname(process.execPath)}`;
    expect(run(["/bin/sh", "-c", "bun"], "/", { PATH }).stdout).toBe("planted\n");
    expect(run([writeStarted(), "--version"], "/", { PATH }).stdout).toMatch(version);
    const project = join(tempDir(), "bun-node-project", "bin");
    plantBun(project);
    expect(run([writeStarted(), "--version"], "/", { PATH: project }).stdout).toBe("planted\n");
  });

  test("what cannot be executed", () => {
    const folders = [tempDir(), tempDir()] as const;
    mkdirSync(join(folders[0], "bun"));
    plantBun(folders[1]);
    chmodSync(join(folders[1], "bun"), 0o644);
    const PATH = `${folders.join(":")}:${dirname(process.execPath)}`;
    expect(run([writeStarted(), "--version"], "/", { PATH }).stdout).toMatch(version);
  });
});

describe("strace is not taken from", () => {
  const cases: readonly [what: string, planted: string, entry: string][] = [
    ["the current directory by its absolute path", ".", "$UP/cwd"],
    ["a directory above", "..", "$UP/"],
    ["a node_modules/.bin", "../node_modules/.bin", "$UP/node_modules/.bin"],
    ["the folder that bun run makes in /tmp", "../bun-node-0-1", "$UP/bun-node-0-1"],
  ];
  for (const [what, planted, entry] of cases) {
    testUnless(kernelAbi < 1 ? "needs Landlock" : needsStrace, what, () => {
      const up = tempDir();
      const cwd = join(up, "cwd");
      for (const folder of [cwd, join(cwd, planted)]) mkdirSync(folder, { recursive: true });
      const program = join(cwd, planted, "strace");
      writeFileSync(program, "#!/bin/sh\necho planted\n", { mode: 0o755 });
      const env = { PATH: `${entry.replace("$UP", up)}:${bunFirst}` };
      const found = Bun.spawnSync(["/bin/sh", "-c", "strace"], { cwd, env });
      expect(`${found.stdout}`).toBe("planted\n");
      const tool = writeStarted();
      const explain = [tool, "explain", "-ro", "/", "--", "/bin/echo", "ok"];
      const learn = [tool, "learn", "-o", "policy.toml", "--", "/bin/echo", "ok"];
      for (const command of [explain, learn]) expect(run(command, cwd, env).stdout).toBe("ok\n");
    });
  }
});

test("Bun is taken from the node_modules/.bin that the program is in", () => {
  const modules = join(tempDir(), "node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  mkdirSync(join(modules, "bun-landlock"));
  const tool = writeStarted(join(modules, "bun-landlock"));
  symlinkSync(process.execPath, join(modules, ".bin", "bun"));
  symlinkSync(tool, join(modules, ".bin", "landlock-restrict"));
  const env = { PATH: join(modules, ".bin") };
  for (const path of [tool, join(modules, ".bin", "landlock-restrict")]) {
    expect(run([path, "--version"], "/", env).stdout).toMatch(version);
  }
});

const mounting = ["unshare", "--map-root-user", "--mount"];
const mayMount = Bun.which("unshare") !== null && Bun.spawnSync([...mounting, "true"]).success;
const unlessMounting = mayMount ? "" : "needs unshare";

testUnless(unlessMounting, "what has replaced /dev/null gives no settings to Bun", () => {
  const cwd = tempDir();
  const settings = join(cwd, "settings");
  writeFileSync(join(cwd, "preload.js"), 'console.log("planted");');
  writeFileSync(settings, JSON.stringify({ preload: [join(cwd, "preload.js")] }));
  const plain = [process.execPath, "--config=/dev/null", "-e", "0"];
  const tool = writeStarted();
  const call = (line: string, ...command: string[]) =>
    run([...mounting, "sh", "-c", line, settings, ...command], cwd, { PATH: bunFirst });
  const file = 'mount --bind "$0" /dev/null; exec "$@"';
  const link = 'mount -t tmpfs none /dev; ln -s "$0" /dev/null; exec "$@"';
  for (const line of [file, link]) {
    expect(call(line, ...plain).stdout).toBe("planted\n");
    const said = `landlock-restrict: ${nullDeviceReplaced}\n`;
    const refused = { stdout: "", stderr: said, code: 125 };
    expect(call(line, tool, "--version")).toEqual(refused);
  }
});

testUnless(
  unlessMounting || needsStrace || (kernelAbi < 1 ? "needs Landlock" : ""),
  "explain does not start again what has replaced /dev/null could give settings to",
  () => {
    const cwd = tempDir();
    const cli = join(import.meta.dir, "..", "..", "src", "cli.ts");
    const own = [process.execPath, cli, "explain", "-ro", "/", "--", "/bin/echo", "ok"];
    const call = (line: string) =>
      run([...mounting, "sh", "-c", line, "sh", ...own], cwd, { PATH: bunFirst });
    expect(call('exec "$@"').stdout).toBe("ok\n");
    for (const other of ["/dev/zero", writeStarted()]) {
      const { stdout, stderr, code } = call(`mount --bind ${other} /dev/null; exec "$@"`);
      const said = `landlock-restrict: ${nullDeviceReplaced}\n`;
      expect({ stdout, stderr, code }).toEqual({ stdout: "", stderr: said, code: 125 });
    }
  },
);

test("pipes in place of settings, which nobody writes to, stop Bun but not the program", () => {
  const parent = tempDir();
  const cwd = join(parent, "cwd");
  mkdirSync(cwd);
  const names = ["tsconfig.json", "jsconfig.json", "package.json", "bunfig.toml", ".env", ".npmrc"];
  const pipes = [cwd, parent].flatMap((folder) => names.map((name) => join(folder, name)));
  expect(
    run(["mkfifo", ...pipes, join(parent, ".bunfig.toml")], "/", { PATH: bunFirst }).code,
  ).toBe(0);
  const script = join(cwd, "script.js");
  writeFileSync(script, "");
  const env = { PATH: bunFirst, HOME: parent };
  expect(run(["timeout", "2", process.execPath, script], cwd, env).code).toBe(124);
  expect(run([writeStarted(), "--version"], cwd, env).stdout).toMatch(version);
});

test("a pipe that tsconfig.json extends stops Bun but not the program", () => {
  const parent = tempDir();
  const cwd = join(parent, "cwd\n");
  mkdirSync(cwd);
  expect(run(["mkfifo", join(cwd, "pipe")], "/", { PATH: bunFirst }).code).toBe(0);
  writeFileSync(join(cwd, "tsconfig.json"), '{ "extends": "./pipe" }');
  const script = join(tempDir(), "script.js");
  writeFileSync(script, "");
  const env = { PATH: bunFirst };
  expect(run(["timeout", "2", process.execPath, ...bunFlags, script], cwd, env).code).toBe(124);
  const tool = writeStarted();
  symlinkSync(tool, join(parent, "tool"));
  const calls = [[tool], ["../tool"], ["/bin/sh", "-c", `${openAll}; exec "$@"`, "sh", tool]];
  for (const call of calls) {
    const { stdout } = run(["timeout", "20", ...call, "--version"], cwd, env);
    expect(stdout).toMatch(version);
  }
});

describe("a package.json that is /dev/stdin", () => {
  const allowed = ["-ro", "/usr", "/bin", "/lib", "/etc", "-rwfiles", "/dev/null"];
  const rows = [
    ["run", [...allowed, "--", "cat"], ""],
    ["explain", ["explain", ...allowed, "--", "cat"], needsStrace],
  ] as const;
  for (const [name, words, lacks] of rows) {
    const title = `takes nothing of the command's input with ${name}`;
    testUnless(kernelAbi < 1 ? "needs Landlock" : lacks, title, () => {
      const cwd = tempDir();
      symlinkSync("/dev/stdin", join(cwd, "package.json"));
      const script = join(tempDir(), "script.js");
      writeFileSync(script, "process.stdin.pipe(process.stdout)");
      const fed = (...command: string[]) =>
        run(["/bin/sh", "-c", 'printf input | "$@"', "sh", ...command], cwd, { PATH: bunFirst });
      expect(fed(process.execPath, ...bunFlags, script).stdout).toBe("");
      expect(fed(writeStarted(), ...words).stdout).toBe("input");
    });
  }
});

describe("the command starts in the directory that the program is called in", () => {
  const words = ["-ro", "/", "-rwfiles", "/dev/null", "--", "/bin/sh", "-c"];
  const script = 'pwd; echo "$PWD"; ls /proc/$$/fd';
  const rows = [
    ["without a descriptor more", ":", 0o755],
    ["if all descriptors that sh can name are taken", openAll, 0o755],
    ["if it cannot be read", ":", 0o311],
  ] as const;
  for (const [title, before, mode] of rows) {
    testFromAbi(1, title, async () => {
      const cwd = realpathSync(tempDir());
      chmodSync(cwd, mode);
      const command = `${before}; exec "$@"`;
      const env = { PATH: bunFirst, PWD: cwd };
      const called = [writeStarted(), ...words, script];
      const { stdout } = run(["/bin/sh", "-c", command, "sh", ...called], cwd, env);
      // To remove it, one has to read it.
      chmodSync(cwd, 0o755);
      expect(stdout).toBe(`${cwd}\n${cwd}\n0\n1\n2\n`);
    });
  }

  testUnless(kernelAbi < 1 ? "needs Landlock" : needsStrace, "with explain too", () => {
    const cwd = realpathSync(tempDir());
    const env = { PATH: bunFirst, PWD: cwd };
    const called = [writeStarted(), "explain", ...words, script];
    expect(run(called, cwd, env).stdout).toBe(`${cwd}\n${cwd}\n0\n1\n2\n`);
  });
});

test("without Bun there is one sentence, and status 125", () => {
  const cwd = tempDir();
  plantBun(cwd);
  for (const PATH of ["/nowhere", "", ":", `${cwd}:`, "."]) {
    const { stdout, stderr, code } = run([writeStarted(), "--version"], cwd, { PATH });
    expect(stderr).toBe(
      "landlock-restrict: cannot find Bun: put the absolute path of its folder on PATH; folders in or above the current directory do not count\n",
    );
    expect({ stdout, code }).toEqual({ stdout: "", code: 125 });
  }
});

describe("the program starts", () => {
  const names = ["a b", "it's", '"', "$(echo planted)", "`echo planted`", "*", "a\nb", "-x", "é"];
  for (const name of names) {
    test(`from a folder and by a link called ${JSON.stringify(name)}`, () => {
      const folder = join(tempDir(), name);
      mkdirSync(folder);
      const tool = writeStarted(folder);
      symlinkSync(tool, join(folder, name));
      const env = { PATH: `:${bunFirst}` };
      const calls = [[tool], [join(folder, name)], [`./${name}`]];
      for (const call of calls) {
        expect(run([...call, "--version"], folder, env).stdout).toMatch(version);
      }
      expect(run(["env", "--", name, "--version"], folder, env)).toEqual({
        stdout: "",
        stderr:
          "landlock-restrict: cannot find its own file: call it by its path, without naming a shell\n",
        code: 125,
      });
    });
  }

  const shells = [["bash"], ["dash"], ["busybox", "sh"]] as const;
  for (const [shell, ...words] of shells) {
    const missing = Bun.which(shell) ? "" : `needs ${shell}`;
    testUnless(missing, `by ${shell} as sh, whatever its environment defines`, () => {
      const sh = join(tempDir(), "sh");
      symlinkSync(Bun.which(shell)!, sh);
      const functions = ["exec", "[", "ulimit", "pwd", "echo", "unset", "exit", ":", "continue"];
      const odd = { IFS: "/o", CDPATH: "/", ENV: "/nowhere", BASH_ENV: "/nowhere", OPTIND: "7" };
      const env = {
        ...{ PATH: bunFirst, A: "1", ...odd },
        ...Object.fromEntries(functions.map((name) => [`BASH_FUNC_${name}%%`, "() { false; }"])),
      };
      const command = words.length > 0 ? [shell, ...words] : [sh];
      const tool = writeStarted();
      expect(run([...command, "-", tool, "--version"], "/", env).stdout).toMatch(version);
      const limited = ["/bin/sh", "-c", `ulimit -Sn 77; exec "$@"`, "sh", ...command, "-", tool];
      const { stdout } = run([...limited, "plan", "--json"], "/", env);
      expect(JSON.parse(stdout)).toHaveProperty("enforcement");
    });
  }
});

test("a path of its own that is not UTF-8 is refused, for Bun would run another file", () => {
  const folder = tempDir();
  const twin = join(folder, "x\ufffd");
  mkdirSync(twin);
  writeFileSync(join(twin, "tool.js"), 'console.log("planted");\n');
  const tool = join(folder, "tool.js");
  writeFileSync(tool, readFileSync(writeStarted()), { mode: 0o755 });
  const script = `cd "$1" && x=$(printf 'x\\377') && mkdir "$x" && cp tool.js "$x" && shift &&
    for tool in "$PWD/$x/tool.js" "$x/tool.js" "./$x/tool.js" "$PWD/$x/../$x/tool.js"; do
      bun "$tool"; "$tool" --version; echo $?
    done; cd "$x"; ./tool.js --version; echo $?`;
  const { stdout, stderr } = run(["/bin/sh", "-c", script, "sh", folder], "/", { PATH: bunFirst });
  expect(stdout).toBe(`${"planted\n125\n".repeat(4)}125\n`);
  const said = "landlock-restrict: its own path is not UTF-8: install it in another folder\n";
  expect(stderr).toBe(said.repeat(5));
});

testFromAbi(1, "the shell changes no variable that the command gets", async () => {
  const named = { _ll: "1", dir: "2", path: "3", IFS: " ", PWD: "/", A: "a\nb", OLDPWD: "/usr" };
  const env = { ...named, PATH: bunFirst };
  const printed = run([writeStarted(), "-ro", "/", "--", "/usr/bin/env", "-0"], "/", env).stdout;
  const seen = Object.fromEntries(
    printed.split("\0").map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1)]),
  );
  const { _ll, IFS, ...kept } = env;
  expect(seen).toMatchObject(kept);
});

test("Bun keeps no copy of the bundle in HOME that it would run in its place", () => {
  const pieces = new Bun.Glob(".bun/install/cache/**/*.pile");
  const kept = (text: string) => {
    const folder = tempDir();
    const tool = join(folder, "tool.js");
    writeFileSync(tool, text, { mode: 0o755 });
    expect(run([tool, "--version"], "/", { PATH: bunFirst, HOME: folder }).code).toBe(0);
    return [...pieces.scanSync({ cwd: folder, dot: true })].length;
  };
  const long = `console.log("${"long ".repeat(30_000)}".length);\n`;
  const text = readFileSync(writeStarted(), "utf8").split("\nimport")[0]!;
  expect(text).toContain("\n// @bun ");
  expect(kept(`${text.replace("// @bun ", "// ")}\n${long}`)).toBe(1);
  expect(kept(`${text}\n${long}`)).toBe(0);
});

const needsBash = Bun.which("bash") ? "" : "needs bash";
const unlessTraced = needsBash || (kernelAbi < 1 ? "needs Landlock" : needsStrace);

testUnless(
  needsBash || (kernelAbi < 1 ? "needs Landlock" : ""),
  "options that bash takes from SHELLOPTS neither stop the program nor export its variables",
  () => {
    for (const SHELLOPTS of ["errexit", "nounset", "allexport", "errexit:nounset:allexport"]) {
      const env = { PATH: bunFirst, SHELLOPTS };
      const command = ["bash", writeStarted(), "-ro", "/", "--", "/usr/bin/env"];
      const { stdout, code } = run(command, "/", env);
      expect({ code, own: stdout.match(/^_ll.*/gm) }).toEqual({ code: 0, own: null });
      expect(stdout).toContain("SHELLOPTS=");
    }
  },
);

testUnless(unlessTraced, "explain and learn wait for a command where SIGCHLD is ignored", () => {
  const cwd = tempDir();
  const line = `trap '' CHLD; grep SigIgn /proc/self/status; exec bash "$@"`;
  const tool = writeStarted();
  for (const words of [
    ["explain", "-ro", "/"],
    ["learn", "-o", "policy.toml"],
  ]) {
    const command = ["bash", "-c", line, "bash", tool, ...words, "--", "/bin/sh", "-c", "exit 7"];
    const { stdout, code } = run(command, cwd, { PATH: bunFirst });
    expect(stdout).toContain("SigIgn:\t0000000000010000\n");
    expect(code).toBe(7);
  }
});

testUnless(
  unlessTraced,
  "explain runs no other Bun where that has lost bytes of its own path",
  () => {
    const folder = tempDir();
    plantBun(join(folder, "x\ufffd"));
    const line = `bun=$(printf '%s/x\\377' "$1"); mkdir "$bun"; cp "$2" "$bun/bun"
    PATH=$bun:$PATH; export PATH; tool=$3; shift 3; exec "$tool" "$@"`;
    const own = ["sh", folder, process.execPath, writeStarted()];
    const start = (...words: string[]) =>
      run(["/bin/sh", "-c", line, ...own, ...words], "/", { PATH: "/usr/bin:/bin" });
    const explained = start("explain", "-ro", "/", "--", "/bin/echo", "ok");
    const said =
      "landlock-restrict: The path of Bun is not UTF-8: install Bun in another folder than ";
    expect(explained).toMatchObject({ stdout: "", code: 125 });
    expect(explained.stderr).toStartWith(said);
  },
);

testUnless(unlessTraced, "an entry of PATH that is not UTF-8 hides no strace", () => {
  const line = `PATH=$(printf '/x\\377'):$PATH; export PATH; exec "$@"`;
  const tool = [writeStarted(), "explain", "-ro", "/", "--", "/bin/echo", "ok"];
  const env = { PATH: bunFirst };
  expect(run(["/bin/sh", "-c", line, "sh", ...tool], "/", env).stdout).toBe("ok\n");
});

test("a compiled program refuses explain and learn", () => {
  const folder = tempDir();
  const tool = join(folder, "tool");
  const cli = join(import.meta.dir, "..", "..", "src", "cli.ts");
  const build = [process.execPath, "build", "--compile", cli, "--outfile", tool];
  expect(run(build, folder, { PATH: bunFirst }).code).toBe(0);
  for (const words of [["explain"], ["learn", "-o", "policy.toml"]]) {
    expect(run([tool, ...words, "--", "/bin/true"], folder, { PATH: bunFirst })).toEqual({
      stdout: "",
      stderr:
        "landlock-restrict: Cannot use explain or learn in a compiled program: call landlock-restrict itself\n",
      code: 125,
    });
  }
});

testFromAbi(1, "a limit on the size of files that is too small is named", async () => {
  const line = `ulimit -f 1; exec "$@"`;
  const command = ["/bin/sh", "-c", line, "sh", writeStarted(), "-ro", "/", "--", "/bin/true"];
  const { stderr, code } = run(command, "/", { PATH: bunFirst });
  expect({ stderr, code }).toEqual({
    stderr:
      "landlock-restrict: Cannot put the native library into memory: write failed with EFBIG; raise the limit on file sizes with ulimit -f\n",
    code: 125,
  });
});
