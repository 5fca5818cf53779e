/** Directories that a ruleset creates and then grants. */
import { expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";

testFromAbi(1, "createIfMissing() makes directories by the umask, and grants them", async () => {
  const dir = tempDir();
  mkdirSync(`${dir}/there`);
  const done = await inSubprocess(dir, async (inside, dir) => {
    const { landlock, rwDirs } = inside;
    const fs = await import("node:fs");
    process.umask(0o027);
    const paths = [`${dir}/a/b/c`, `${dir}/there`, `${dir}/new/`, `${dir}/a/b/c`];
    const write = (name: string) => inside.outcome(() => fs.writeFileSync(`${dir}/${name}`, "x"));
    const before = write("a.txt");
    const { createdPaths, skippedPaths } = landlock.V1.restrictPaths(
      rwDirs(...paths).createIfMissing(),
    );
    const after = ["a/b/c/x", "there/x", "new/x", "a/x", "b.txt"].map(write);
    return { before, createdPaths, skippedPaths, after };
  });
  expect(done).toEqual({
    before: "ok",
    createdPaths: [`${dir}/a/b/c`, `${dir}/new/`],
    skippedPaths: [],
    after: ["ok", "ok", "ok", "EACCES", "EACCES"],
  });
  expect(statSync(`${dir}/a/b`).mode & 0o777).toBe(0o750);
});

testFromAbi(
  1,
  "createIfMissing() leaves no directory behind if a path cannot be used",
  async () => {
    const dir = tempDir();
    writeFileSync(`${dir}/file`, "");
    symlinkSync("nowhere", `${dir}/dangling`);
    const errors = await inSubprocess(dir, (inside, dir) => {
      const { landlock, roDirs, rwDirs } = inside;
      const made = rwDirs(`${dir}/made/deep`).createIfMissing();
      const attempts = [
        [made, roDirs(`${dir}/missing`)],
        [made, rwDirs(`${dir}/file/below`).createIfMissing()],
        [made, rwDirs(`${dir}/dangling`).createIfMissing()],
        [made, rwDirs("/proc/none").createIfMissing()],
      ];
      return attempts.map((rules) => inside.thrown(() => landlock.V1.restrictPaths(...rules)));
    });
    expect(
      errors.map((error) => [error?.["code"], error?.["syscall"], error?.["errnoName"]]),
    ).toEqual([
      ["ERR_LANDLOCK_PATH", "openat", "ENOENT"],
      ["ERR_LANDLOCK_PATH", "openat", "ENOTDIR"],
      ["ERR_LANDLOCK_PATH", "openat", "ENOENT"],
      ["ERR_LANDLOCK_PATH", "mkdir", "ENOENT"],
    ]);
    expect(readdirSync(dir).sort()).toEqual(["dangling", "file"]);
    expect(existsSync(join(dir, "made"))).toBe(false);
  },
);

testFromAbi(
  1,
  "another rule for a directory that is made applies, whatever their order",
  async () => {
    const dir = tempDir();
    const done = await inSubprocess(dir, async (inside, dir) => {
      const { landlock, pathAccess, roDirs } = inside;
      const fs = await import("node:fs");
      const make = pathAccess(["make_reg", "write_file"], `${dir}/new`).createIfMissing();
      const list = () => inside.outcome(() => fs.readdirSync(`${dir}/new`));
      const before = list();
      const { createdPaths, skippedPaths } = landlock.V1.restrictPaths(
        roDirs(`${dir}/new`),
        pathAccess(["remove_file"], `${dir}/new`).ignoreIfMissing(),
        make,
      );
      const write = (name: string) => inside.outcome(() => fs.writeFileSync(`${dir}/${name}`, "x"));
      const remove = inside.outcome(() => fs.rmdirSync(`${dir}/new`));
      const written = [write("new/x"), write("x")];
      const removed = inside.outcome(() => fs.unlinkSync(`${dir}/new/x`));
      return { before, createdPaths, skippedPaths, list: list(), written, removed, remove };
    });
    expect(done).toEqual({
      before: "ENOENT",
      createdPaths: [`${dir}/new`],
      skippedPaths: [],
      list: "ok",
      written: ["ok", "EACCES"],
      removed: "ok",
      remove: "EACCES",
    });
  },
);
