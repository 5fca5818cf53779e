/** Another process replaces names while a ruleset is built. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, realpathSync, renameSync } from "node:fs";
import { join } from "node:path";
import { openEntry, walk } from "../../src/kernel/walk.ts";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";

interface Given {
  readonly dir: string;
  /** Whether openat2(2) is missing. */
  readonly isOld: boolean;
  /** What gets a rule in addition to `w`. */
  readonly path: string;
  readonly create: boolean;
  /** Names in `w`: they are exchanged, or one is renamed if the other doesn't exist. */
  readonly names: readonly [string, string];
}

/** Builds one ruleset for each call or pair of calls before which the names change. */
function raced(given: Given) {
  return inSubprocess(
    given,
    async (inside, { dir, isOld, path, create, names }) => {
      const { landlock, rwDirs } = inside;
      const fs = await import("node:fs");
      const { race } = globalThis as unknown as typeof import("./raced-inside.ts");
      race.isOld = isOld;
      process.chdir(`${dir}/w`);
      const exists = (name: string) => fs.lstatSync(name, { throwIfNoEntry: false }) !== undefined;
      const change = () => {
        const [from, to] = exists(names[0]) ? names : (names.toReversed() as [string, string]);
        if (!exists(to)) return fs.renameSync(from, to);
        // This process makes no other call in between, so three renames act like one exchange.
        fs.renameSync(from, "spare");
        fs.renameSync(to, from);
        fs.renameSync("spare", to);
      };
      const reset = () => {
        for (const name of fs.readdirSync(".")) fs.rmSync(name, { recursive: true });
        fs.symlinkSync("../out", "y");
        if (!exists(names[0])) fs.mkdirSync(names[0]);
      };
      const extra = rwDirs(`${dir}/${path}`);
      const rules = [rwDirs(`${dir}/w`).withRefer(), create ? extra.createIfMissing() : extra];
      const seen = { built: 0, refused: 0, outside: [] as string[] };
      const build = (before: readonly number[]) => {
        reset();
        Object.assign(race, { calls: 0, granted: [] });
        race.before = (call) => void (before.includes(call) && change());
        try {
          using _ = landlock.V2.ruleset(...rules);
          seen.built++;
        } catch {
          seen.refused++;
        }
        race.before = () => {};
        const made = fs.readdirSync("../out").map((name) => `${dir}/out/${name}`);
        for (const name of made) fs.rmSync(name, { recursive: true });
        const outside = [...race.granted, ...made].filter((one) => one.startsWith(`${dir}/out`));
        for (const place of outside) seen.outside.push(`${place}, changed before ${before}`);
        return race.calls;
      };
      // A change makes the library repeat calls, so there are more.
      const end = build([]) + 8;
      for (let first = 0; first < end; first++) {
        for (let second = first; second < end; second++) build([first, second]);
      }
      return seen;
    },
    {
      timeoutMs: 60_000,
      env: { BUN_OPTIONS: `--preload ${join(import.meta.dir, "raced-inside.ts")}` },
    },
  );
}

const cases = [
  ["a directory and a link", "w/x", false, ["x", "y"]],
  ["a directory on the way and a link", "w/../w/x/.", false, ["x", "y"]],
  ["the parent of a directory to be made, and a link", "w/x/made/deep", true, ["x", "y"]],
  ["a directory to be made and a link", "w/made", true, ["y", "made"]],
] as const;

for (const [what, path, create, names] of cases) {
  for (const isOld of [false, true]) {
    const where = isOld ? "without openat2(2)" : "with openat2(2)";
    testFromAbi(
      2,
      `no rule leads out of a writable directory, ${where}, if these change: ${what}`,
      async () => {
        const dir = realpathSync(tempDir());
        for (const name of ["w", "out"]) mkdirSync(join(dir, name));
        const { built, refused, outside } = await raced({ dir, isOld, path, create, names });
        expect(outside).toEqual([]);
        expect(built).toBeGreaterThan(0);
        expect(refused).toBeGreaterThan(0);
      },
      90_000,
    );
  }
}

test("a walk ends at .. if the directory was moved since it was opened", () => {
  const dir = realpathSync(tempDir());
  mkdirSync(join(dir, "w/x"), { recursive: true });
  mkdirSync(join(dir, "w/deep"));
  const { fd, rest } = walk(`${dir}/w/x/../../out`, (folder, name) => {
    if (name === ".." && existsSync(`${dir}/w/x`)) {
      renameSync(`${dir}/w/x`, `${dir}/w/deep/x`);
    }
    return openEntry(folder, name);
  });
  expect({ fd, rest }).toEqual({ fd: -116, rest: ["..", "..", "out"] });
});
