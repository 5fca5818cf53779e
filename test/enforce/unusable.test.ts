/** Unusable paths: one error names them all, and nothing has changed. */
import { expect } from "bun:test";
import { symlinkSync } from "node:fs";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";
import { threadField } from "../inside.ts";

/** What an error must leave behind: this process unchanged. */
const unchanged = { readable: "ok", noNewPrivs: [...new Set(threadField("NoNewPrivs"))] };

/** Tries a rule on paths and returns the error and what it left behind. */
function tryRule(
  dir: string,
  preset: "roFiles" | "rwDirs",
  paths: readonly string[],
  ignoreIfMissing = false,
) {
  return inSubprocess(
    { dir, preset, paths, ignoreIfMissing },
    async (inside, { dir, preset, paths, ignoreIfMissing }) => {
      const { landlock, outcome, threadField, thrown } = inside;
      const { readdirSync } = await import("node:fs");
      const rule = inside[preset](...paths);
      const best = landlock.V1.bestEffort();
      const attempt = () => best.restrictPaths(ignoreIfMissing ? rule.ignoreIfMissing() : rule);
      const error = thrown(attempt);
      return {
        error,
        readable: outcome(() => readdirSync(dir)),
        noNewPrivs: [...new Set(threadField("NoNewPrivs"))],
      };
    },
  );
}

testFromAbi(1, "every unusable path is named in one error, with nothing changed", async () => {
  const dir = tempDir();
  await Bun.write(`${dir}/file`, "text");
  symlinkSync("loop", `${dir}/loop`);
  const long = `${dir}/${"x".repeat(256)}`;
  const paths = ["missing", "file", "file/below", "loop"].map((name) => `${dir}/${name}`);
  expect(await tryRule(dir, "roFiles", [...paths, long])).toEqual({
    error: {
      name: "LandlockError",
      message:
        `Cannot use 4 paths: "${dir}/missing" (open failed with ENOENT), ` +
        `"${dir}/file/below" (open failed with ENOTDIR), ` +
        `"${dir}/loop" (open failed with ELOOP), ` +
        `"${long}" (open failed with ENAMETOOLONG); correct the path, or leave it out`,
      code: "ERR_LANDLOCK_PATH",
      syscall: "openat",
      errno: 2,
      errnoName: "ENOENT",
      path: `${dir}/missing`,
      processChanged: false,
    },
    ...unchanged,
  });
});

testFromAbi(1, "a missing path is named with the fix, with nothing changed", async () => {
  const dir = tempDir();
  expect(await tryRule(dir, "rwDirs", [dir, `${dir}/missing`])).toMatchObject({
    error: {
      message: expect.stringMatching(
        /^Cannot grant execute, .*, make_sym beneath ".*\/missing": open failed with ENOENT; create it, or add \.ignoreIfMissing\(\)$/,
      ),
      code: "ERR_LANDLOCK_PATH",
      errno: 2,
      path: `${dir}/missing`,
      processChanged: false,
    },
    ...unchanged,
  });
});

testFromAbi(1, "ignoreIfMissing() skips what does not exist, and nothing else", async () => {
  const dir = tempDir();
  symlinkSync("loop", `${dir}/loop`);
  expect(await tryRule(dir, "rwDirs", [dir, `${dir}/missing`, `${dir}/loop`], true)).toMatchObject({
    error: { code: "ERR_LANDLOCK_PATH", errnoName: "ELOOP", path: `${dir}/loop` },
    ...unchanged,
  });
});

testFromAbi(1, "ignoreIfMissing() reports what it skips, and the rest is enforced", async () => {
  const dir = tempDir();
  for (const name of ["allowed", "denied"]) await Bun.write(`${dir}/${name}`, "text");
  symlinkSync("missing", `${dir}/dangling`);
  const seen = await inSubprocess({ dir }, async ({ landlock, roFiles, outcome }, { dir }) => {
    const { readFileSync, writeFileSync } = await import("node:fs");
    const read = () =>
      ["allowed", "denied"].map((name) => outcome(() => readFileSync(`${dir}/${name}`)));
    const before = read();
    const { enforcement, rules, skippedPaths } = landlock.V1.restrictPaths(
      roFiles(
        `${dir}/missing`,
        `${dir}/allowed`,
        `${dir}/allowed/below`,
        `${dir}/dangling`,
      ).ignoreIfMissing(),
    );
    const create = outcome(() => writeFileSync(`${dir}/missing`, "text"));
    return { before, enforcement, rules, skippedPaths, after: read(), create };
  });
  expect(seen as object).toEqual({
    before: ["ok", "ok"],
    enforcement: "full",
    rules: [
      {
        path: `${dir}/allowed`,
        access: ["execute", "read_file"],
        onFile: "narrow",
        onMissing: "skip",
        quiet: false,
      },
    ],
    skippedPaths: [`${dir}/missing`, `${dir}/allowed/below`, `${dir}/dangling`],
    after: ["ok", "EACCES"],
    create: "EACCES",
  });
});

testFromAbi(1, "pathAccess() of a right for directories on a file is an error", async () => {
  const dir = tempDir();
  await Bun.write(`${dir}/file`, "text");
  const seen = await inSubprocess({ dir }, async (inside, { dir }) => {
    const { landlock, pathAccess, outcome, threadField, thrown } = inside;
    const { readFileSync } = await import("node:fs");
    const path = `${dir}/file`;
    const rule = pathAccess(["read_file", "read_dir", "make_reg"], path);
    return {
      error: thrown(() => landlock.V1.bestEffort().restrictPaths(rule)),
      readable: outcome(() => readFileSync(path)),
      noNewPrivs: [...new Set(threadField("NoNewPrivs"))],
    };
  });
  expect(seen).toEqual({
    error: {
      name: "LandlockError",
      message: `Cannot grant read_dir, make_reg on "${dir}/file": it applies to directories only, and this is not one; leave it out, or use a preset like roFiles()`,
      code: "ERR_LANDLOCK_INVALID_RULE",
      path: `${dir}/file`,
      processChanged: false,
    },
    ...unchanged,
  });
});

for (const kind of ["pipe", "socket"] as const) {
  testFromAbi(1, `a rule on a ${kind} in /proc/self/fd is an error`, async () => {
    const seen = await inSubprocess({ kind }, async (inside, { kind }) => {
      const { call, landlock, roFiles, outcome, threadField, thrown } = inside;
      const { readdirSync, readlinkSync } = await import("node:fs");
      const ends = new Int32Array(2);
      if (kind === "pipe") call("pipe", ends);
      else ends[0] = call("socket", 1, 1, 0);
      const path = `/proc/self/fd/${ends[0]}`;
      return {
        kind: readlinkSync(path).split(":")[0],
        path,
        error: thrown(() => landlock.V1.restrictPaths(roFiles(path))),
        readable: outcome(() => readdirSync("/proc/self/fd")),
        noNewPrivs: [...new Set(threadField("NoNewPrivs"))],
      };
    });
    expect(seen as object).toEqual({
      kind,
      path: seen.path,
      error: {
        name: "LandlockError",
        message: `Cannot grant execute, read_file beneath "${seen.path}": it is a ${kind}, which Landlock never restricts; leave it out, it needs no rule`,
        code: "ERR_LANDLOCK_PATH",
        syscall: "landlock_add_rule",
        errno: 77,
        errnoName: "EBADFD",
        path: seen.path,
        processChanged: false,
      },
      ...unchanged,
    });
  });
}
