/**
 * Sandboxes cannot be undone, so whatever enforces runs in a process of its own.
 */
import { test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probe } from "../src/index.ts";
import { folders } from "./folders.ts";

type Inside = typeof import("./inside.ts");

/** How many times longer everything may take than on a plain machine: an emulator sets it. */
const slowness = Number(process.env["LANDLOCK_TEST_SLOWNESS"] ?? 1);

/** `inside.ts`, or a bundle of it: an emulated CPU takes half a second to read the sources. */
const insideModule = process.env["LANDLOCK_TEST_INSIDE"] ?? join(import.meta.dir, "inside.ts");

/** A bound in milliseconds, as this machine needs it. */
export function patience(ms: number): number {
  return ms * slowness;
}

/** A user without privileges, and what that user can read. */
export interface User {
  readonly uid: number;
  /** A command that starts another one as this user. */
  readonly prefix: readonly string[];
  /** Bun. */
  readonly bun: string;
  /** A folder with `src`, `lib` and `test` of the project. */
  readonly project: string;
}

export interface SubprocessOptions {
  /** Bound on the whole run, in milliseconds, before `patience()`; default 20000. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: Record<string, string | undefined>;
  /** A command that starts the process, as `["setpriv", "--nnp"]`. */
  readonly prefix?: readonly string[];
  /** Who runs it, from `plainUser()` of `other-user.ts`; the process then starts in `/`. */
  readonly user?: User;
}

/**
 * Runs `body` in a new Bun process and returns what it returns, by way of JSON.
 *
 * The body travels as its source text: it sees its two parameters and globals, and nothing of
 * the file it stands in. Other modules it imports itself, with `await import()`.
 *
 * @param args Anything that JSON can carry
 */
export async function inSubprocess<Args, Result>(
  args: Args,
  body: (inside: Inside, args: Args) => Result | Promise<Result>,
  options: SubprocessOptions = {},
): Promise<Result> {
  const { user } = options;
  const isCopy = user && user.project !== join(import.meta.dir, "..");
  const module = isCopy ? join(user.project, "test/inside.ts") : insideModule;
  const script = `
    const inside = await import(${JSON.stringify(module)});
    const result = await (${body.toString()})(inside, ${JSON.stringify(args)});
    await Bun.write(Bun.stdout, "\\n" + JSON.stringify({ result }));
    process.exit(0);`;
  const start = [...(options.prefix ?? []), ...(user?.prefix ?? [])];
  const child = Bun.spawn([...start, user?.bun ?? process.execPath, "-e", script], {
    stdout: "pipe",
    stderr: "pipe",
    timeout: patience(options.timeoutMs ?? 20_000),
    killSignal: "SIGKILL",
    ...(options.cwd || user ? { cwd: options.cwd ?? "/" } : {}),
    ...(options.env ? { env: { ...process.env, ...options.env } } : {}),
  });
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  const answer = stdout.slice(stdout.lastIndexOf("\n") + 1);
  if (code !== 0 || !answer.startsWith("{")) {
    throw new Error(
      `the process ended with ${child.signalCode ?? code}, without a result\n${stdout}${stderr}`,
    );
  }
  return (JSON.parse(answer) as { result: Result }).result;
}

/** The words that start `landlock-restrict` from its sources. */
export const cli: readonly string[] = [process.execPath, join(import.meta.dir, "../src/cli.ts")];

/** Runs a command to its end: what it printed, and its exit status. */
export function run(command: readonly string[], cwd = process.cwd(), env = process.env) {
  const options = { cwd, env, stdin: "ignore", timeout: patience(60_000) } as const;
  const { exitCode: code, stdout, stderr } = Bun.spawnSync([...command], options);
  return { stdout: stdout.toString(), stderr: stderr.toString(), code };
}

/** A new empty folder, removed when all tests are done: `test/tidy-up.ts`. */
export function tempDir(): string {
  const folder = mkdtempSync(join(tmpdir(), "landlock-test-"));
  folders.push(folder);
  return folder;
}

/** The Landlock ABI of this machine; 0: none. */
export const kernelAbi = probe().abi;

/** What `.ci/run` installs. `unshare` is not among them: a machine may forbid what it does. */
const promised =
  /^needs (bash|busybox|curl|dash|gcc|git|make|musl-gcc|node|npm|openssl|python3|setpriv|sqlite3|strace)\b/;

/**
 * `test`, or a skip that names what is missing. `test/abi-guard.test.ts` bounds the skips. In CI
 * a test fails if it lacks a program that is promised there.
 *
 * @param missing What the test needs and does not find, as `"needs gcc"`; empty: nothing
 */
export function testUnless(
  missing: string,
  name: string,
  body: () => void | Promise<void>,
  ms = 30_000,
): void {
  const skips = missing && !(process.env["CI"] && promised.test(missing));
  if (skips) test.skip(`${name} (${missing})`, body);
  else test(name, body, patience(ms));
}

/** A test for the kernels from an ABI on. */
export function testFromAbi(abi: number, name: string, body: () => Promise<void>, ms?: number) {
  const missing = kernelAbi < abi ? `needs Landlock ABI ${abi}, this kernel has ${kernelAbi}` : "";
  testUnless(missing, name, body, ms);
}

/** A test that changes settings of the whole machine, such as the audit log: as root, in a guest. */
export function testOnOwnMachine(abi: number, name: string, body: () => Promise<void>) {
  const own = process.env["LANDLOCK_TEST_OWN_MACHINE"] === "1" && process.getuid?.() === 0;
  if (own) testFromAbi(abi, name, body);
  else testUnless("needs root on a machine of its own, as under test:kernels", name, body);
}

/** A test for what is special about the kernels between two ABIs. */
export function testOnAbis(first: number, last: number, name: string, body: () => Promise<void>) {
  const fits = kernelAbi >= first && kernelAbi <= last;
  const range = first === last ? `${first}` : `${first} to ${last}`;
  testUnless(fits ? "" : `for Landlock ABI ${range}, this kernel has ${kernelAbi}`, name, body);
}
