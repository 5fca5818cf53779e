/** Runs each test that enforces in a process of its own, since a sandbox cannot be undone. */
import { test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probe } from "../src/index.ts";
import { folders } from "./folders.ts";

type Inside = typeof import("./inside.ts");

/** How many times slower this machine is than a plain one; an emulator sets it. */
const slowness = Number(process.env["LANDLOCK_TEST_SLOWNESS"] ?? 1);

/** `inside.ts`, or its bundle: an emulated CPU takes half a second to read the sources. */
const insideModule = process.env["LANDLOCK_TEST_INSIDE"] ?? join(import.meta.dir, "inside.ts");

/** A time limit in milliseconds, scaled to this machine. */
export function patience(ms: number): number {
  return ms * slowness;
}

/** An unprivileged user, and what that user can read. */
export interface User {
  readonly uid: number;
  /** A command that starts another command as this user. */
  readonly prefix: readonly string[];
  /** The path of Bun. */
  readonly bun: string;
  /** A folder with the project's `src`, `lib` and `test`. */
  readonly project: string;
}

export interface SubprocessOptions {
  /** Time limit of the whole run in milliseconds, before `patience()`; default 20000. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: Record<string, string | undefined>;
  /** A command that starts the process, such as `["setpriv", "--nnp"]`. */
  readonly prefix?: readonly string[];
  /**
   * The user that runs it, from `plainUser()` of `other-user.ts`; the process then starts in `/`.
   */
  readonly user?: User;
}

/**
 * Runs `body` in a new Bun process and returns its result, as JSON.
 *
 * The body is sent as source text, so it sees only its two parameters and globals. It must load
 * other modules with `await import()`.
 *
 * @param args Anything that JSON can hold
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

/** The arguments that start `landlock-restrict` from its sources. */
export const cli: readonly string[] = [process.execPath, join(import.meta.dir, "../src/cli.ts")];

/** Runs a command and returns its output and exit status. */
export function run(command: readonly string[], cwd = process.cwd(), env = process.env) {
  const options = { cwd, env, stdin: "ignore", timeout: patience(60_000) } as const;
  const { exitCode: code, stdout, stderr } = Bun.spawnSync([...command], options);
  return { stdout: stdout.toString(), stderr: stderr.toString(), code };
}

/** A new empty folder; `test/tidy-up.ts` removes it after all tests. */
export function tempDir(): string {
  const folder = mkdtempSync(join(tmpdir(), "landlock-test-"));
  folders.push(folder);
  return folder;
}

/** The Landlock ABI of this machine; 0 if there is none. */
export const kernelAbi = probe().abi;

/** The programs that `.ci/run` installs. `unshare` is left out, since a machine may forbid it. */
const promised =
  /^needs (bash|busybox|curl|dash|gcc|git|make|musl-gcc|node|npm|openssl|python3|setpriv|sqlite3|strace)\b/;

/**
 * `test`, or a skip that names what is missing. `test/abi-guard.test.ts` limits the skips. In CI, a
 * test fails if a promised program is missing.
 *
 * @param missing What the test needs and does not find, such as `"needs gcc"`; empty if nothing
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

/** A test for kernels that have at least this ABI. */
export function testFromAbi(abi: number, name: string, body: () => Promise<void>, ms?: number) {
  const missing = kernelAbi < abi ? `needs Landlock ABI ${abi}, this kernel has ${kernelAbi}` : "";
  testUnless(missing, name, body, ms);
}

/** A test that changes machine-wide settings, such as the audit log: only for root in a guest. */
export function testOnOwnMachine(abi: number, name: string, body: () => Promise<void>) {
  const own = process.env["LANDLOCK_TEST_OWN_MACHINE"] === "1" && process.getuid?.() === 0;
  if (own) testFromAbi(abi, name, body);
  else testUnless("needs root on a machine of its own, as under test:kernels", name, body);
}

/** A test of behaviour that only the kernels between two ABIs have. */
export function testOnAbis(first: number, last: number, name: string, body: () => Promise<void>) {
  const fits = kernelAbi >= first && kernelAbi <= last;
  const range = first === last ? `${first}` : `${first} to ${last}`;
  testUnless(fits ? "" : `for Landlock ABI ${range}, this kernel has ${kernelAbi}`, name, body);
}
