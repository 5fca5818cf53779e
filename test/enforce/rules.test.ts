/** The forms a path in a rule may have, and what each form stands for. */
import { expect } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";
import type { Outcome } from "../inside.ts";

/** A folder with `allowed/file` and `denied/file`, and links to the first. */
function twoFolders(name = "allowed"): string {
  const dir = tempDir();
  for (const one of [name, "denied"]) {
    mkdirSync(`${dir}/${one}`);
    writeFileSync(`${dir}/${one}/file`, one);
  }
  symlinkSync(name, `${dir}/link`);
  symlinkSync(`${dir}/${name}/file`, `${dir}/absolute`);
  return dir;
}

const readBoth = { before: ["ok", "ok"], after: ["ok", "EACCES"] };

/** Paths of one rule that all mean the allowed folder or file. */
const spellings: readonly [title: string, path: string, folder?: string][] = [
  ["a path with . and .. and slashes", "DIR/denied/../allowed/.//"],
  ["a symbolic link to a folder", "DIR/link"],
  ["a symbolic link to a file", "DIR/absolute"],
  ["a path through a symbolic link", "DIR/link/file"],
  ["a path relative to the current directory", "allowed"],
  ["the current directory's parent", "../DIRNAME/allowed"],
  ["a name outside ASCII", "DIR/Ünïcödé 沙盒 😀", "Ünïcödé 沙盒 😀"],
  ["a name with a newline, quotes and a percent sign", "DIR/a\nb\"c'd%20", "a\nb\"c'd%20"],
  ["a name that looks like a URL", "DIR/file:", "file:"],
];

for (const [title, spelling, folder = "allowed"] of spellings) {
  testFromAbi(1, `roDirs() takes ${title}`, async () => {
    const dir = twoFolders(folder);
    const path = spelling.replace("DIRNAME", dir.split("/").at(-1)!).replace("DIR", dir);
    const seen = await inSubprocess(
      { path, files: [`${dir}/${folder}/file`, `${dir}/denied/file`] },
      async ({ landlock, roDirs, outcome }, { path, files }) => {
        const { readFileSync } = await import("node:fs");
        const read = () => files.map((file) => outcome(() => readFileSync(file)));
        const before = read();
        const { rules } = landlock.V1.restrictPaths(roDirs(path));
        return { before, after: read(), paths: rules.map((rule) => "path" in rule && rule.path) };
      },
      { cwd: dir },
    );
    expect(seen).toEqual({ ...readBoth, paths: [path] });
  });
}

testFromAbi(1, "roDirs() takes a file: URL and decodes it", async () => {
  const dir = twoFolders("sp ace%20ü#?");
  const seen = await inSubprocess(
    { url: pathToFileURL(`${dir}/sp ace%20ü#?`).href, dir },
    async ({ landlock, roDirs, outcome }, { url, dir }) => {
      const { readFileSync } = await import("node:fs");
      const read = () =>
        ["sp ace%20ü#?", "denied"].map((one) => outcome(() => readFileSync(`${dir}/${one}/file`)));
      const before = read();
      landlock.V1.restrictPaths(roDirs(new URL(url)));
      return { before, after: read() };
    },
  );
  expect(seen).toEqual(readBoth);
});

testFromAbi(1, "a rule stands for what its path was when it was made", async () => {
  const dir = twoFolders();
  const seen = await inSubprocess({ dir }, async ({ landlock, roDirs, outcome }, { dir }) => {
    const { readFileSync, symlinkSync } = await import("node:fs");
    symlinkSync(`${dir}/allowed`, `${dir}/current`);
    const read = () => outcome(() => readFileSync(`${dir}/current/file`));
    const before = read();
    // A process outside the sandbox, which waits until the sandbox holds.
    const turn = `read go; exec ln -sfn ${dir}/denied ${dir}/current`;
    const other = Bun.spawn(["sh", "-c", turn], { stdin: "pipe" });
    landlock.V1.restrictPaths(roDirs(`${dir}/current`));
    const after = read();
    other.stdin.write("go\n");
    await other.stdin.end();
    return { before, after, ended: await other.exited, turned: read() };
  });
  expect(seen).toEqual({ before: "ok", after: "ok", ended: 0, turned: "EACCES" });
});

testFromAbi(1, "roFiles() on a FIFO waits for nobody, and grants it", async () => {
  const dir = tempDir();
  const seen = await inSubprocess({ dir }, async (inside, { dir }) => {
    const { landlock, roFiles, call, outcome } = inside;
    const { closeSync, constants, openSync } = await import("node:fs");
    const fifos = [`${dir}/allowed`, `${dir}/denied`];
    for (const fifo of fifos) call("mkfifo", fifo, 0o600);
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    const open = () => fifos.map((fifo) => outcome(() => closeSync(openSync(fifo, flags))));
    const before = open();
    landlock.V1.restrictPaths(roFiles(fifos[0]!));
    return { before, after: open() };
  });
  expect(seen).toEqual(readBoth);
});

testFromAbi(
  1,
  "roDirs() and rwDirs() on a device are narrowed to what applies to files",
  async () => {
    const seen = await inSubprocess({}, async ({ landlock, roDirs, rwDirs, outcome }) => {
      const { closeSync, openSync } = await import("node:fs");
      const open = () =>
        (["null", "zero", "full"] as const).flatMap((name) =>
          ["r", "w"].map((mode) => outcome(() => closeSync(openSync(`/dev/${name}`, mode)))),
        );
      const before = open();
      const { rules } = landlock.V1.restrictPaths(rwDirs("/dev/null"), roDirs("/dev/zero"));
      return { before, rules, after: open() };
    });
    const rule = { onFile: "narrow", onMissing: "fail", quiet: false };
    expect(seen as object).toEqual({
      before: ["ok", "ok", "ok", "ok", "ok", "ok"],
      rules: [
        { path: "/dev/null", access: ["execute", "write_file", "read_file"], ...rule },
        { path: "/dev/zero", access: ["execute", "read_file"], ...rule },
      ],
      after: ["ok", "ok", "ok", "EACCES", "EACCES", "EACCES"],
    });
  },
);

testFromAbi(1, "two rules on one path add up", async () => {
  const dir = twoFolders();
  const seen = await inSubprocess({ dir }, async ({ landlock, pathAccess, outcome }, { dir }) => {
    const { readdirSync, readFileSync, rmSync } = await import("node:fs");
    const path = `${dir}/allowed`;
    const attempt = () => [
      outcome(() => readFileSync(`${path}/file`)),
      outcome(() => readdirSync(path)),
    ];
    const before = attempt();
    landlock.V1.restrictPaths(pathAccess(["read_file"], path), pathAccess(["read_dir"], path));
    return { before, after: [...attempt(), outcome(() => rmSync(`${path}/file`))] };
  });
  expect(seen).toEqual({ before: ["ok", "ok"], after: ["ok", "ok", "EACCES"] });
});

/** Rules made of other rules, or of JSON, grant what their parts grant. */
const wrapped: readonly [
  title: string,
  wrapping: "nested" | "empty" | "json" | "json composite",
  after: Outcome[],
][] = [
  ["composite() nests", "nested", ["ok", "EACCES"]],
  ["composite() without rules grants nothing", "empty", ["EACCES", "EACCES"]],
  ["a rule from JSON grants what it did", "json", ["ok", "EACCES"]],
  ["a composite() from JSON grants what it did", "json composite", ["ok", "EACCES"]],
];

for (const [title, wrapping, after] of wrapped) {
  testFromAbi(2, title, async () => {
    const dir = twoFolders();
    const seen = await inSubprocess({ dir, wrapping }, async (inside, { dir, wrapping }) => {
      const { composite, landlock, roDirs, outcome } = inside;
      const { readFileSync } = await import("node:fs");
      const plain = roDirs(`${dir}/allowed`).withRefer().ignoreIfMissing();
      const nested = composite(composite(), composite(composite(plain)));
      const rule = {
        nested,
        empty: composite(composite()),
        json: JSON.parse(JSON.stringify(plain)),
        "json composite": JSON.parse(JSON.stringify(nested)),
      }[wrapping];
      const read = () =>
        ["allowed", "denied"].map((one) => outcome(() => readFileSync(`${dir}/${one}/file`)));
      const before = read();
      const { rules } = landlock.V2.restrictPaths(rule);
      return { before, rules, after: read() };
    });
    const rule = {
      path: `${dir}/allowed`,
      access: ["execute", "read_file", "read_dir", "refer"],
      onFile: "narrow",
      onMissing: "skip",
      quiet: false,
    };
    expect(seen as object).toEqual({
      before: ["ok", "ok"],
      rules: wrapping === "empty" ? [] : [rule],
      after,
    });
  });
}

testFromAbi(
  5,
  "withIoctlDev() allows ioctl(2) on devices; it fails with EACCES elsewhere",
  async () => {
    const seen = await inSubprocess({}, async ({ landlock, rwFiles, call, outcome }) => {
      const { closeSync, openSync } = await import("node:fs");
      const [TCGETS, FIOCLEX] = [0x5401n, 0x5451n];
      const open = openSync("/dev/zero", "r+");
      const ioctl = (path: string, request: bigint) =>
        outcome(() => {
          const fd = openSync(path, "r+");
          try {
            call("ioctl", fd, request, null);
          } finally {
            closeSync(fd);
          }
        });
      const attempt = () => ({
        granted: ioctl("/dev/null", TCGETS),
        plain: ioctl("/dev/zero", TCGETS),
        harmless: ioctl("/dev/zero", FIOCLEX),
        open: outcome(() => call("ioctl", open, TCGETS, null)),
      });
      const before = attempt();
      landlock.V5.restrictPaths(rwFiles("/dev/null").withIoctlDev(), rwFiles("/dev/zero"));
      return { before, after: attempt() };
    });
    // ENOTTY comes from the driver, so the call has reached it.
    const before = { granted: "ENOTTY", plain: "ENOTTY", harmless: "ok", open: "ENOTTY" };
    expect(seen).toEqual({ before, after: { ...before, plain: "EACCES" } });
  },
);

const engines = [
  { name: "as it is", env: {} },
  { name: "with a compiler that does not wait", env: { BUN_JSC_useConcurrentJIT: "0" } },
  { name: "without its last compiler", env: { BUN_JSC_useFTLJIT: "0" } },
];

/** Files that get reading or writing by turns. */
const fileCount = 50;
const ruleCount = 6000;

for (const { name, env } of engines) {
  testFromAbi(3, `every rule of thousands has its own rights: the engine ${name}`, async () => {
    const dir = tempDir();
    for (let i = 0; i < fileCount; i++) await Bun.write(`${dir}/${i}`, "text");
    const seen = await inSubprocess(
      { dir, fileCount, ruleCount },
      async ({ landlock, roDirs, rwDirs, outcome }, { dir, fileCount, ruleCount }) => {
        const { openSync } = await import("node:fs");
        const all = (mode: string) =>
          Array.from({ length: fileCount }, (_, i) => outcome(() => openSync(`${dir}/${i}`, mode)));
        const before = all("r+");
        // On a file, both are narrowed to different rights each time.
        const rules = Array.from({ length: ruleCount }, (_, i) => {
          const make = i % 2 === 0 ? roDirs : rwDirs;
          return make(`${dir}/${i % fileCount}`);
        });
        landlock.V3.restrictPaths(...rules);
        return { before, reading: all("r"), writing: all("r+") };
      },
      { env, timeoutMs: 60_000 },
    );
    const each = (outcomeOf: (i: number) => string) =>
      Array.from({ length: fileCount }, (_, i) => outcomeOf(i));
    expect(seen).toEqual({
      before: each(() => "ok"),
      reading: each(() => "ok"),
      writing: each((i) => (i % 2 === 0 ? "EACCES" : "ok")),
    });
  });
}
