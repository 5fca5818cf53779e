/** One run replaces a name with a link in a directory it may change; the next run must notice. */
import { expect } from "bun:test";
import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { inSubprocess, tempDir, testFromAbi, type SubprocessOptions } from "../harness.ts";

interface Given {
  readonly rw: string;
  readonly ro?: string;
  readonly create?: string;
  /** What the sandboxed run does: removes `gone`, links `at` to `to`, and writes files. */
  readonly gone?: string;
  readonly at?: string;
  readonly to?: string;
  readonly writes?: readonly string[];
  readonly reads?: readonly string[];
  /** The error that openat2(2) returns. */
  readonly openat2?: number;
}

/** One run, under rules that stay the same from run to run. */
function run(given: Given, options?: SubprocessOptions) {
  return inSubprocess(
    given,
    async (inside, { rw, ro, create, gone, at, to, writes = [], reads = [], openat2 }) => {
      const { landlock, roDirs, rwDirs } = inside;
      const fs = await import("node:fs");
      const rules = [rwDirs(rw)];
      if (ro) rules.push(roDirs(ro));
      if (openat2) inside.failSyscalls(437, 437, openat2);
      if (create) rules.push(rwDirs(create).withRefer().createIfMissing());
      const error = inside.thrown(() => landlock.V2.restrictPaths(...rules));
      const done = (action: () => unknown) => inside.outcome(action);
      return {
        error: error && `${error["code"]}: ${error["message"]}`,
        changed: error && error["processChanged"],
        removed: gone && done(() => fs.rmSync(gone, { recursive: true })),
        linked: at && done(() => fs.symlinkSync(to!, at)),
        written: writes.map((name) => done(() => fs.writeFileSync(name, "x"))),
        read: reads.map((name) => done(() => fs.readFileSync(name))),
      };
    },
    options,
  );
}

function scene() {
  const dir = realpathSync(tempDir());
  mkdirSync(join(dir, "w/cache"), { recursive: true });
  mkdirSync(join(dir, "out"));
  writeFileSync(join(dir, "out/key"), "key");
  writeFileSync(join(dir, "w/cache/a"), "a");
  return { dir, w: join(dir, "w"), cache: join(dir, "w/cache"), out: join(dir, "out") };
}

testFromAbi(2, "a directory that one run replaces by a link is an error for the next", async () => {
  const { dir, w, cache, out } = scene();
  const rules = { rw: w, ro: cache };
  const first = await run({
    ...{ ...rules, gone: cache, at: cache, to: "/" },
    reads: [`${out}/key`],
  });
  expect(first).toMatchObject({ removed: "ok", linked: "ok", read: ["EACCES"] });
  expect(first.error).toBeUndefined();
  const second = await run({ ...rules, writes: [`${dir}/free`], reads: [`${out}/key`] });
  expect(second.error).toStartWith("ERR_LANDLOCK_PATH: Cannot grant ");
  expect(second.error).toEndWith(
    `beneath "${cache}": it leads to "/", out of "${w}", where these rules let links be made; if it should, name the real path`,
  );
  // Nothing is restricted then, and the caller gets the error.
  expect(second).toMatchObject({ changed: false, written: ["ok"], read: ["ok"] });
});

testFromAbi(2, "a link out of a writable directory is an error however it is written", async () => {
  const { dir, w, out } = scene();
  symlinkSync("../out", join(w, "link"));
  symlinkSync("w/link", join(dir, "two"));
  symlinkSync("w", join(dir, "alias"));
  for (const [rw, ro, cwd] of [
    [w, `${dir}/two`, dir],
    ["w", "two", dir],
    [w, `${dir}/alias/link`, dir],
    [`${dir}/alias`, `${w}/link`, dir],
    [w, "/proc/self/cwd/w/link", dir],
    [w, `/proc/thread-self/root${w}/link`, dir],
    ["/proc/self/cwd/w", `${w}/link`, dir],
    [w, `${w}/link/`, dir],
    [`${w}/`, `${w}//./link`, dir],
    ["w", "w/link", dir],
    ["w", `${w}/link`, dir],
    [".", "link", w],
    ["..", "link", join(w, "cache", "..")],
    [w, `${w}/link/../out`, dir],
    [w, `${w}/link/../../${basename(dir)}/out`, dir],
    [w, `${dir}/out/../w/link`, dir],
  ] as const) {
    const { error } = await run({ rw, ro }, { cwd });
    // The parent of w contains both.
    if (rw === "..") expect(error).toBeUndefined();
    else expect(error).toContain(`leads to "${out}", out of "${rw}"`);
  }
});

testFromAbi(2, "a link stays usable within a writable directory, and outside of it", async () => {
  const { dir, w, cache, out } = scene();
  symlinkSync("cache", join(w, "near"));
  symlinkSync(cache, join(w, "whole"));
  symlinkSync("w", join(dir, "alias"));
  symlinkSync("out", join(dir, "elsewhere"));
  const reads = [`${w}/cache/a`, `${out}/key`];
  for (const [rw, ro, key] of [
    [w, `${w}/near`, "EACCES"],
    [w, `${w}/whole`, "EACCES"],
    [`${dir}/alias`, `${dir}/alias/near`, "EACCES"],
    [w, `${w}/../out`, "ok"],
    [w, `${dir}/elsewhere`, "ok"],
    [cache, `${cache}/../../out`, "ok"],
  ] as const) {
    const { error, read } = await run({ rw, ro, reads });
    expect({ error, read }).toEqual({ error: undefined, read: ["ok", key] });
  }
});

testFromAbi(2, "a link beyond a name that is not UTF-8 is an error too", async () => {
  const { dir, w, out } = scene();
  const name = Buffer.from(`${w}/\xff`, "latin1");
  mkdirSync(name);
  symlinkSync("../../out", Buffer.concat([name, Buffer.from("/link")]));
  symlinkSync(Buffer.from("w/\xff/link", "latin1"), join(dir, "two"));
  const { error } = await run({ rw: w, ro: `${dir}/two` });
  expect(error).toContain(`leads to "${out}", out of "${w}"`);
});

testFromAbi(2, "links are found where openat2(2) is missing or forbidden", async () => {
  const { w, out } = scene();
  symlinkSync("../out", join(w, "link"));
  for (const openat2 of [38, 1]) {
    const { error } = await run({ rw: w, ro: `${w}/link`, openat2 });
    expect(error).toContain(`leads to "${out}", out of "${w}"`);
    const reads = [`${out}/key`];
    expect(await run({ rw: w, ro: out, openat2, reads })).toMatchObject({ read: ["ok"] });
  }
});

testFromAbi(
  2,
  "createIfMissing() neither grants nor makes directories through a link",
  async () => {
    const { dir, w, out } = scene();
    const scratch = join(w, "scratch");
    const rules = { rw: w, create: scratch };
    const first = await run({
      ...{ ...rules, gone: scratch, at: scratch, to: out },
      writes: [`${scratch}/x`],
    });
    expect(first).toMatchObject({ removed: "ok", linked: "ok", written: ["EACCES"] });
    const second = await run(rules);
    expect(second.error).toContain(`"${scratch}": it leads to "${out}", out of "${w}"`);
    const deep = await run({ rw: w, create: `${scratch}/made/deep` });
    expect(deep.error).toContain(`"${scratch}/made/deep": it leads to "${out}", out of "${w}"`);
    expect(deep.changed).toBe(false);
    expect(existsSync(join(out, "made"))).toBe(false);
    symlinkSync("w/scratch", join(dir, "two"));
    const far = await run({ rw: w, create: `${dir}/two/made` });
    expect(far.error).toContain(`"${dir}/two/made": it leads to "${out}", out of "${w}"`);
    expect(existsSync(join(out, "made"))).toBe(false);
    const inside = await run({ rw: w, create: `${w}/made/deep`, writes: [`${w}/made/deep/x`] });
    expect(inside.error).toBeUndefined();
    expect(inside.written).toEqual(["ok"]);
  },
);
