/** Where presets look for libraries, on programs made for it; and files that are no programs. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LandlockError, presets, type CompositeRuleData } from "../../src/index.ts";
import { elfOf } from "../../src/presets/elf.ts";
import { inSubprocess, tempDir } from "../harness.ts";
import { run, testWith } from "./programs.ts";

const { executable } = presets;

function compile(compiler: string, ...args: string[]) {
  const { success, stderr } = Bun.spawnSync([compiler, ...args]);
  if (!success) throw new Error(stderr.toString());
}

/** A program in bin/ that links to lib/libouter.so, which links to lib/libinner.so. */
function tree(compiler: string, tags: string, linkInner: boolean): string {
  const folder = tempDir();
  for (const name of ["bin", "lib"]) mkdirSync(join(folder, name));
  const [bin, lib] = [join(folder, "bin"), join(folder, "lib")];
  const source = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const inner = source("inner.c", "int inner(void) { return 3; }");
  const outer = source("outer.c", "int inner(void); int outer(void) { return inner() + 1; }");
  const main = source("main.c", "int outer(void); int main(void) { return outer(); }");
  const library = ["-shared", "-fPIC", "-o"];
  compile(compiler, ...library, `${lib}/libinner.so`, inner);
  const origin = linkInner ? [`-Wl,${tags},-rpath,$ORIGIN`] : [];
  compile(compiler, ...library, `${lib}/libouter.so`, outer, `-L${lib}`, "-linner", ...origin);
  const rpath = `-Wl,${tags},-rpath,$ORIGIN/../lib,-rpath-link,${lib}`;
  compile(compiler, "-o", `${bin}/main`, main, `-L${lib}`, "-louter", rpath);
  symlinkSync("bin/main", join(folder, "link"));
  return folder;
}

for (const compiler of ["gcc", "musl-gcc"]) {
  for (const [what, tags, linkInner] of [
    ["RUNPATH", "--enable-new-dtags", true],
    ["RPATH, inherited by what it loads,", "--disable-new-dtags", false],
  ] as const) {
    testWith([compiler], `${compiler}: ${what} with $ORIGIN is followed`, async () => {
      const folder = tree(compiler, tags, linkInner);
      for (const path of [`${folder}/bin/main`, `${folder}/link`]) {
        expect(await run([executable(path)], [path])).toMatchObject({ status: 4, stderr: "" });
        expect(await run([], [path])).toMatchObject({ status: "EACCES" });
      }
      const [, libraries] = executable(`${folder}/link`).rules;
      expect(JSON.stringify(libraries)).toContain("libinner.so");
      rmSync(`${folder}/lib/libinner.so`);
      expect(() => executable(`${folder}/link`)).toThrow(
        /^Cannot find the library "libinner.so", which ".*libouter.so" needs: install it, or/,
      );
    });
  }

  testWith([compiler], `${compiler}: a program linked statically starts`, async () => {
    const folder = tempDir();
    writeFileSync(`${folder}/main.c`, "int main(void) { return 5; }");
    compile(compiler, "-static", "-o", `${folder}/main`, `${folder}/main.c`);
    const path = `${folder}/main`;
    expect(await run([executable(path)], [path])).toMatchObject({ status: 5 });
    expect(await run([], [path])).toMatchObject({ status: "EACCES" });
  });
}

testWith(["gcc"], "LD_LIBRARY_PATH is followed", async () => {
  const folder = tree("gcc", "--enable-new-dtags", false);
  expect(() => executable(`${folder}/bin/main`)).toThrow("libinner.so");
  const env = { LD_LIBRARY_PATH: `${folder}/lib` };
  const program = `${folder}/bin/main`;
  const rule = await inSubprocess(
    program,
    ({ presets }, path) => presets.executable(path) as CompositeRuleData,
    { env },
  );
  expect(await run([rule], [program], { env })).toMatchObject({ status: 4 });
});

describe("executable() says what is wrong", () => {
  function failure(name: string): LandlockError {
    try {
      executable(name);
    } catch (error) {
      if (error instanceof LandlockError) return error;
      throw error;
    }
    throw new Error("it does not fail");
  }

  function file(text: string | Uint8Array): string {
    const path = join(tempDir(), "file");
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  }

  test("a program that is not there", () => {
    expect(failure("no-such-program")).toMatchObject({
      code: "ERR_LANDLOCK_PATH",
      path: "no-such-program",
      message:
        'Cannot find the program "no-such-program": it is not on PATH; install it, or give its path',
    });
    expect(failure("/no/such/program").message).toBe(
      'Cannot find the program "/no/such/program": ENOENT; correct the path, or install it',
    );
  });

  test("an interpreter that is not there, named with its script", () => {
    const path = file("#!/no/interpreter\n");
    expect(failure(path).message).toBe(
      `Cannot find the program "/no/interpreter", which "${path}" starts: ENOENT; correct the path, or install it`,
    );
    const viaEnv = file("#!/usr/bin/env no-such-program\n");
    expect(failure(viaEnv).message).toContain(`"no-such-program", which "${viaEnv}" starts`);
  });

  test("scripts that start each other", () => {
    const path = join(tempDir(), "file");
    writeFileSync(path, `#!${path}\n`, { mode: 0o755 });
    expect(failure(path).message).toContain("lead in a circle");
  });

  test("a file of another kind, a folder, and a name that is none", () => {
    for (const text of ["text\n", "", "#!", "\x7fELF", "#!\n"]) {
      expect(failure(file(text)).message).toContain("neither a 64-bit ELF file nor a script");
    }
    expect(failure(tempDir()).message).toContain("it is not a regular file; correct the path");
    expect(failure("a\0b")).toMatchObject({ code: "ERR_LANDLOCK_INVALID_RULE" });
    expect(failure("")).toMatchObject({ code: "ERR_LANDLOCK_INVALID_RULE" });
  });
});

describe("damaged ELF files", () => {
  const program = readFileSync(Bun.which("true") ?? process.execPath).subarray(0, 4096);
  const path = join(tempDir(), "damaged");

  test("are read without an error, cut at any length", () => {
    for (let length = 0; length < program.length; length += 7) {
      writeFileSync(path, program.subarray(0, length));
      expect(() => elfOf(path)).not.toThrow();
    }
  });

  test("are read without an error, with any byte of the headers changed", () => {
    for (let at = 0; at < 1024; at++) {
      const changed = new Uint8Array(program);
      changed[at] = 255 - changed[at]!;
      writeFileSync(path, changed);
      expect(() => elfOf(path)).not.toThrow();
    }
  });
});
