/** Runs programs in a sandbox, each in a process of its own. */
import { test } from "bun:test";
import { landlock, type Rule } from "../../src/index.ts";
import { kernelAbi } from "../harness.ts";

/** The end of a program. */
export interface Ended {
  /** Its exit status, the signal that ended it, or why it could not start. */
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options for a run. */
export interface Circumstances {
  readonly cwd?: string;
  readonly env?: Record<string, string | undefined>;
}

/** Restricts everything that this kernel can, apart from the rules' grants, and runs a program. */
export async function run(
  rules: readonly Rule[],
  command: string[],
  circumstances: Circumstances = {},
): Promise<Ended> {
  try {
    using ruleset = landlock.V11.bestEffort().ruleset(...rules);
    const stdio = ["ignore", "pipe", "pipe"] as const;
    const limits = { timeout: 60_000, killSignal: "SIGKILL" } as const;
    const child = ruleset.spawn(command, { stdio: [...stdio], ...limits, ...circumstances });
    const [stdout, stderr] = await Promise.all([
      (child.stdout as ReadableStream).text(),
      (child.stderr as ReadableStream).text(),
    ]);
    const code = await child.exited;
    return { status: child.signalCode ?? code, stdout, stderr };
  } catch (error) {
    const { code, errnoName, message } = error as { [key: string]: string | undefined };
    return { status: errnoName ?? code ?? "failed", stdout: "", stderr: message ?? "" };
  }
}

/** `test`, or a skip that names the missing programs; CI promises them, so there it fails. */
export function testWith(programs: readonly string[], name: string, body: () => Promise<void>) {
  const lacking = programs.filter((program) => Bun.which(program) === null);
  const why = kernelAbi === 0 ? "Landlock" : lacking.join(", ");
  if (why === "" || (process.env["CI"] && kernelAbi > 0)) test(name, body, 90_000);
  else test.skip(`${name} (needs ${why})`, body);
}
