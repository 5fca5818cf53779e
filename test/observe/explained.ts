/** Runs `landlock-restrict explain` as users do. */
import { join } from "node:path";
import { cli, kernelAbi, patience, tempDir, type User } from "../harness.ts";
import { needsStrace } from "./strace.ts";

/** The output of `--json`, as far as tests read it. */
export interface Found {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly denied: readonly {
    readonly operation: { readonly kind: string; readonly path?: string; readonly port?: number };
    readonly rights: readonly string[];
    readonly denials: readonly { readonly path?: string }[];
    readonly errno: string;
    readonly program: string;
    readonly times: number;
    readonly verdict: string;
    readonly flags: readonly string[];
  }[];
  readonly others: readonly {
    readonly operation: { readonly path?: string };
    readonly cause: string;
    readonly verdict: string;
    readonly program: string;
  }[];
  readonly flags: readonly string[];
  readonly policy: string;
  readonly notes: readonly string[];
}

export interface ExplainedRun {
  readonly stdout: string;
  /** The output without the findings. */
  readonly stderr: string;
  readonly code: number;
  readonly found: Found;
}

export interface RunSettings {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly stdin?: Uint8Array;
  /** The user that runs it, from `plainUser()`; it then starts in `/`. */
  readonly user?: User;
}

/** Debian's program folders: a developer's PATH often has scripts in front of them. */
export const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** An empty home, so that no settings count; programs may write to it. */
const home = tempDir();

/** Runs a command line, with or without `explain`. */
export function runCli(words: readonly string[], settings: RunSettings = {}) {
  const { env, stdin, user } = settings;
  const cwd = settings.cwd ?? (user && "/");
  const start = user ? [...user.prefix, user.bun, join(user.project, "src/cli.ts")] : cli;
  const done = Bun.spawnSync([...start, ...words], {
    stdin: stdin ?? "ignore",
    env: { PATH, HOME: home, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    timeout: patience(30_000),
  });
  const { stdout, stderr, exitCode: code } = done;
  return { stdout: stdout.toString(), stderr: stderr.toString(), code };
}

/** Explains a command and parses the findings. */
export function explained(
  options: readonly string[],
  command: readonly string[],
  settings: RunSettings = {},
): ExplainedRun {
  const run = runCli(["explain", "--json", ...options, "--", ...command], settings);
  const lines = run.stderr.trimEnd().split("\n");
  const found = lines.pop()!;
  if (!found.startsWith("{")) throw new Error(`nothing was found:\n${run.stderr}`);
  return { ...run, stderr: lines.join("\n"), found: JSON.parse(found) as Found };
}

/** What is missing to explain denials of an ABI. */
export function missingFor(abi: number): string {
  const older = kernelAbi < abi ? `needs Landlock ABI ${abi}, this kernel has ${kernelAbi}` : "";
  return needsStrace || older;
}
