/** Links of /proc, deleted files and other root directories: the open file counts, not its name. */
import { expect, test } from "bun:test";
import {
  closeSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { bytesOf } from "../../src/kernel/names.ts";
import { Lines } from "../../src/trace/line.ts";
import { Tasks } from "../../src/trace/tasks.ts";
import { cli, tempDir, testUnless } from "../harness.ts";
import { missingFor, PATH, type Found } from "./explained.ts";
import { needsStrace } from "./strace.ts";

const system = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc", "-rwfiles", "/dev/null"];

function folder(): string {
  const path = realpathSync(tempDir());
  mkdirSync(join(path, "d"));
  writeFileSync(join(path, "d/in"), "text\n");
  symlinkSync("/dev/stdout", join(path, "link"));
  return path;
}

/** Explains a shell script with these files as its input and output. */
function explainedOn(
  cwd: string,
  stdin: number | "ignore",
  stdout: number | "pipe",
  script: string,
) {
  const done = Bun.spawnSync([...cli, "explain", "--json", ...system, "--", "sh", "-c", script], {
    stdio: [stdin, stdout, "pipe"],
    cwd,
    env: { PATH },
  });
  const { denied, others, flags } = JSON.parse(
    done.stderr.toString().trimEnd().split("\n").at(-1)!,
  ) as Found;
  return { places: denied.map(({ operation }) => operation.path), others, flags };
}

const missing = missingFor(1);

for (const name of [
  "/dev/stdout",
  "/dev/fd/1",
  "/proc/self/fd/1",
  "/proc/thread-self/fd/1",
  "link",
]) {
  testUnless(missing, `explain names the file that ${name} leads to`, () => {
    const cwd = folder();
    const out = join(cwd, "out");
    const fd = openSync(out, "w");
    const found = explainedOn(cwd, "ignore", fd, `echo x >${name}`);
    closeSync(fd);
    expect(found).toEqual({ places: [out], others: [], flags: ["-rwfiles", out] });
  });
}

testUnless(missing, "explain denies no pipe, whatever its name", () => {
  const script = "echo x >/dev/stdout; echo x | cat /dev/stdin /proc/self/fd/0; echo x >link";
  const found = explainedOn(folder(), "ignore", "pipe", script);
  // A link in the folder must be read by its own path first, which needs no right.
  expect(found).toEqual({ places: [], others: [], flags: [] });
});

testUnless(missing, "explain asks for the directory of an open file that was deleted", () => {
  const cwd = folder();
  const fd = openSync(join(cwd, "d/in"), "r");
  rmSync(join(cwd, "d/in"));
  const { places, flags } = explainedOn(cwd, fd, "pipe", "cat /dev/stdin");
  closeSync(fd);
  expect([places, flags]).toEqual([[join(cwd, "d")], ["-ro", join(cwd, "d")]]);
});

testUnless(missing, "explain follows /proc/self/cwd and root to the files behind them", () => {
  const cwd = folder();
  const file = join(cwd, "d/in");
  const found = explainedOn(
    cwd,
    "ignore",
    "pipe",
    `cat /proc/self/cwd/d/in /proc/self/root${file}`,
  );
  expect(found.places).toEqual([file]);
});

testUnless(
  needsStrace,
  "learn grants the files that links of /proc lead to, and nothing for pipes",
  () => {
    const cwd = folder();
    const script = `
    echo x >link
    cat /dev/fd/0 <d/in
    echo x | cat /dev/stdin
    exec 7>d/gone; rm d/gone; echo x >/dev/fd/7`;
    const fd = openSync(join(cwd, "out"), "w");
    const done = Bun.spawnSync([...cli, "learn", "-o", "p.toml", "--", "sh", "-c", script], {
      stdio: ["ignore", fd, "pipe"],
      cwd,
      env: { PATH },
    });
    closeSync(fd);
    expect(done.exitCode).toBe(0);
    const policy = Bun.TOML.parse(
      require("node:fs").readFileSync(join(cwd, "p.toml"), "utf8") as string,
    ) as { paths?: object[]; rwFiles?: string[]; ro?: string[]; roFiles?: string[] };
    expect(policy.paths).toContainEqual({ access: "rw", ifMissing: "create", paths: ["d"] });
    expect(policy.rwFiles).toEqual(["out"]);
    const all = [policy.ro, policy.roFiles].flatMap((list) => list ?? []);
    expect(all.filter((path) => /fd|std|proc|pipe|link/.test(path))).toEqual([]);
  },
);

/** The observations of one thread's lines, which starts in `/l`. */
function operations(...texts: string[]): unknown[] {
  const lines = new Lines();
  const tasks = new Tasks("/l", new Map([[0, { name: "/in" }]]));
  const read = texts.flatMap((text) => lines.read(`4194305 ${text}`) ?? []);
  return read
    .flatMap((line) => [...tasks.follow(line)])
    .map((one) => (one.kind === "attempt" ? one.operation : one));
}

const denied = "= -1 EACCES (Permission denied)";

test("descriptors are followed through openat, dup2 and inheritance", () => {
  const read = (path: string) => ({ kind: "open", path, read: true });
  expect(
    operations(
      `openat(AT_FDCWD</l>, "/proc/self/fd/0", O_RDONLY) ${denied}`,
      `openat(AT_FDCWD</l>, "a", O_RDONLY) = 7</l/a>`,
      `dup2(7</l/a>, 0</in>) = 0</l/a>`,
      `openat(AT_FDCWD</l>, "/dev/stdin", O_RDONLY) ${denied}`,
      `openat(AT_FDCWD</l>, "/dev/fd/7", O_RDONLY) = 8<pipe:[5]>`,
      `openat(AT_FDCWD</l>, "/proc/self/fd/8", O_RDONLY) ${denied}`,
      `execve("/proc/self/fd/8", [...], 0x7f /* 3 vars */) = 0`,
      `execveat(9</memfd:x>(deleted), "", [...], 0x7f /* 3 vars */, AT_EMPTY_PATH) = 0`,
    ),
  ).toEqual([read("/in"), read("/l/a"), read("/l/a")]);
});

test("a descriptor, a root directory or a mount that cannot be told is a gap", () => {
  const gap = { kind: "gap", pid: 4194305, program: undefined, reason: "place" };
  expect(
    operations(
      `openat(5, "a", O_RDONLY) ${denied}`,
      `openat(5, "/a", O_RDONLY) ${denied}`,
      `chroot("/nowhere/jail") = 0`,
      `openat(AT_FDCWD</l>, "/../a", O_RDONLY) ${denied}`,
      `mkdir("b", 0777) ${denied}`,
      `pivot_root(".", ".") = 0`,
      `openat(AT_FDCWD</l>, "/a", O_RDONLY) ${denied}`,
    ),
  ).toEqual([
    { ...gap, failed: "EACCES" },
    { kind: "open", path: "/a", read: true },
    { kind: "open", path: "/nowhere/jail/a", read: true },
    { kind: "make", path: "/l/b", type: "directory" },
    {
      kind: "barred",
      pid: 4194305,
      process: 4194305,
      program: undefined,
      call: "pivot_root",
      bar: "mount",
      path: "/l",
      layers: 0,
    },
    { ...gap, failed: "EACCES" },
  ]);
});

test("a current directory that was removed is named as it was", () => {
  expect(
    operations(
      `openat(AT_FDCWD</nowhere/d (deleted)>, "../f", O_RDONLY) ${denied}`,
      `mkdir("g", 0777) = -1 ENOENT (No such file or directory)`,
    ),
  ).toMatchObject([{ path: "/nowhere/d/../f" }, { path: "/nowhere/d/g" }]);
});

test("a directory that is renamed takes the current directory with it", () => {
  expect(
    operations(
      `chdir("/nowhere/a/b") = 0`,
      `rename("/nowhere/a", "/nowhere/c") = 0`,
      `mkdir("d", 0777) = 0`,
      `renameat2(AT_FDCWD</nowhere/c/b>, "/nowhere/c", 5</x>, "/nowhere/e", RENAME_EXCHANGE) = 0`,
      `mkdir("f", 0777) = 0`,
    ).flatMap((one) =>
      (one as { kind: string }).kind === "make" ? (one as { path: string }).path : [],
    ),
  ).toEqual(["/nowhere/c/b/d", "/nowhere/e/b/f"]);
});

testUnless(missing, "explain names files of folders that end in - or are not UTF-8", () => {
  for (const name of ["odd-", "odd (deleted)", "odd\udcff"]) {
    const cwd = join(realpathSync(tempDir()));
    const path = `${cwd}/${name}`;
    mkdirSync(bytesOf(path));
    writeFileSync(bytesOf(`${path}/f-`), "");
    const script = 'cd "$1"/odd* && shift && exec "$@"';
    const words = [...cli, "explain", "--json", ...system, "--", "sh", "-c", "cat f-; exit 3"];
    const done = Bun.spawnSync(["sh", "-c", script, "sh", cwd, ...words], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH },
    });
    const found = JSON.parse(done.stderr.toString().trimEnd().split("\n").at(-1)!) as Found;
    expect(found.denied.map(({ operation }) => operation.path)).toEqual([`${path}/f-`]);
    expect([done.exitCode, found.others]).toEqual([3, []]);
  }
});
