/** Programs made by `bun build` take native code only from their own file. */
import { beforeAll, describe, expect } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { kernelAbi, run, tempDir, testUnless } from "../harness.ts";
import { installPacked } from "../packed.ts";

const missing = kernelAbi === 0 ? "needs Landlock" : Bun.which("gcc") ? "" : "needs gcc";

/** Options of `bun build`, and the resulting file. */
const formats: Readonly<Record<string, readonly string[]>> = {
  "an ES module": ["--format=esm", "--outdir=out"],
  "a CommonJS module": ["--format=cjs", "--outdir=out"],
  "an immediately called function": ["--format=iife", "--outdir=out"],
  "a minified module": ["--minify", "--outdir=out"],
  "a minified CommonJS module": ["--minify", "--format=cjs", "--outdir=out"],
  bytecode: ["--bytecode", "--outdir=out"],
  "chunks in another folder": ["--splitting", "--chunk-naming=a/b/[hash].[ext]", "--outdir=out"],
  "a module with a public path": ["--public-path=https://example.com/x/", "--outdir=out"],
  "a module with other names of assets": ["--asset-naming=a/[name].[ext]", "--outdir=out"],
  "a module for Node": ["--target=node", "--outdir=out"],
  "a compiled program": ["--compile", "--outfile=out/app"],
  "a compiled program of bytecode": ["--compile", "--bytecode", "--outfile=out/app"],
  "a compiled, minified program": ["--compile", "--minify", "--outfile=out/app"],
};

/** Restricts, spawns before and after, and uses what is evaluated late. */
const app = `
  import { bindTcp, explain, landlock, parsePolicy, presets, roDirs, rwFiles } from "bun-landlock";
  import { readFileSync } from "node:fs";
  const outcome = (action) => { try { action(); return "ok"; } catch (error) { return error.code; } };
  const rules = [
    roDirs("/usr", "/bin", "/proc"), roDirs("/lib", "/lib64").ignoreIfMissing(), rwFiles("/dev/null"),
  ];
  const read = () => readFileSync("/etc/passwd");
  const before = outcome(read);
  using ruleset = landlock.V1.ruleset(...rules, ...parsePolicy({ abi: 1, ro: ["/usr"] }).rules);
  const cat = (file) => ruleset.spawnSync(["cat", file], { stdout: "ignore", stderr: "ignore" }).exitCode;
  const children = [cat("/usr/bin/env"), cat("/etc/passwd")];
  presets.executable("cat");
  const { threads } = ruleset.restrictSelf({ deadlineMs: 10_000 });
  const after = outcome(read);
  let cause;
  try { read(); } catch (error) { ({ cause } = explain(error)); }
  console.log(JSON.stringify({
    before, children, several: threads.count > 1, after, cause,
    invalid: outcome(() => bindTcp(70000)), again: cat("/usr/bin/env"),
  }));`;

const expected = {
  before: "ok",
  children: [0, 1],
  several: true,
  after: "EACCES",
  cause: "landlock",
  invalid: "ERR_LANDLOCK_INVALID_RULE",
  again: 0,
};

let folder = "";
let planted = "";
let mark = "";

/** Every name under which Bun unpacks a library for a compiled program. */
const unpacked = () => readdirSync(tmp).filter((name) => name.endsWith(".so"));
let tmp = "";

beforeAll(async () => {
  folder = await installPacked();
  await Bun.write(join(folder, "app.ts"), app);
  if (missing) return;
  tmp = join(folder, "tmp");
  mkdirSync(tmp);
  mark = join(folder, "mark");
  planted = join(folder, "planted.so");
  const source = `
    #include <fcntl.h>
    __attribute__((constructor)) static void planted(void) { open(${JSON.stringify(mark)}, O_CREAT, 0600); }`;
  await Bun.write(join(folder, "planted.c"), source);
  const compiled = run(["gcc", "-shared", "-fPIC", "-o", planted, "planted.c"], folder);
  if (compiled.code !== 0) throw new Error(compiled.stderr);
}, 60_000);

/** Builds the program anew; returns the command that starts it. */
function build(options: readonly string[]): string[] {
  rmSync(join(folder, "out"), { recursive: true, force: true });
  const target = options.some((word) => /^--(target|compile)/.test(word)) ? [] : ["--target=bun"];
  const built = run([process.execPath, "build", "app.ts", ...target, ...options], folder);
  if (built.code !== 0) throw new Error(built.stderr);
  const program = join(folder, "out", "app");
  return existsSync(program) ? [program] : [process.execPath, `${program}.js`];
}

/** A folder with the planted library under every name that a program could look up. */
function hostile(names: readonly string[]): string {
  const place = tempDir();
  for (const name of names) {
    copyFileSync(planted, join(place, name));
    chmodSync(join(place, name), 0o755);
  }
  return place;
}

testUnless(missing, "the planted library leaves a mark in a program that loads it", () => {
  const script = `import { dlopen } from "bun:ffi";
    dlopen(${JSON.stringify(planted)}, { getpid: { args: [], returns: "i32" } });`;
  run([process.execPath, "-e", script], folder);
  expect(existsSync(mark)).toBe(true);
  rmSync(mark);
});

describe("an app that bun build makes", () => {
  for (const [name, options] of Object.entries(formats)) {
    testUnless(
      missing,
      `as ${name} works from any folder and loads no file of that folder`,
      () => {
        const program = build(options);
        const beside = readdirSync(join(folder, "out"), { recursive: true, encoding: "utf8" });
        expect(beside.filter((file) => file.endsWith(".so"))).toEqual([]);
        const names = ["liblandlock.so", "liblandlock-zgrbttdh.so", "libc.so.6", "libc.so"];
        for (const cwd of ["/", folder, hostile(names)]) {
          const { stdout, stderr } = run(program, cwd, { PATH: process.env["PATH"]!, TMPDIR: tmp });
          expect(stderr).toBe("");
          expect(JSON.parse(stdout)).toEqual(expected);
        }
        expect(existsSync(mark)).toBe(false);
        expect(unpacked()).toEqual([]);
      },
      60_000,
    );
  }
});

testUnless(missing, "a sealed file that somebody else passed is not taken for the library", () => {
  const script = `
    import { dlopen, FFIType, ptr } from "bun:ffi";
    import { readFileSync, writeSync } from "node:fs";
    import { landlock, roDirs } from "bun-landlock";
    const { i64, i64_fast } = FFIType;
    const arm64 = process.arch === "arm64";
    const { symbols } = dlopen("libc.so.6", {
      syscall: { args: [i64, i64, i64, i64, i64, i64], returns: i64_fast },
    });
    const call = (...words) => Number(symbols.syscall(...words, ...Array(6 - words.length).fill(0)));
    const fd = call(arm64 ? 279 : 319, ptr(Buffer.from("liblandlock\\0")), 2);
    writeSync(fd, readFileSync(${JSON.stringify(planted)}));
    const [ADD_SEALS, DUPFD] = [1033, 0];
    call(arm64 ? 25 : 72, fd, ADD_SEALS, 15);
    const there = call(arm64 ? 25 : 72, fd, DUPFD, 500);
    console.log(there, landlock.V1.restrictPaths(roDirs("/usr")).enforcement);`;
  return Bun.write(join(folder, "passed.ts"), script).then(() => {
    const { stdout, stderr } = run([process.execPath, "passed.ts"], folder);
    expect(stderr).toBe("");
    expect(stdout).toBe("500 full\n");
    expect(existsSync(mark)).toBe(false);
  });
});
