/** What the body of `inSubprocess()` gets: the library, and small probes of what is allowed. */
import { readdirSync, readFileSync } from "node:fs";

export * from "../src/index.ts";

/** `"ok"`, or how it failed: the errno as `"EACCES"`, or an error's code or name. */
export type Outcome = string;

function reasonOf(error: unknown): Outcome {
  const { code, name } = error as { code?: string; name?: string };
  return code ?? name ?? String(error);
}

/** Runs it and says how it went. */
export function outcome(action: () => unknown): Outcome {
  try {
    action();
    return "ok";
  } catch (error) {
    return reasonOf(error);
  }
}

/** Runs it, waits for it and says how it went. */
export async function outcomeOf(action: () => Promise<unknown>): Promise<Outcome> {
  try {
    await action();
    return "ok";
  } catch (error) {
    return reasonOf(error);
  }
}

/** Runs it and returns the fields of the error it throws, or `undefined`. */
export function thrown(action: () => unknown): Record<string, unknown> | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    const { name, message } = error as Error;
    return { name, message, ...(error as object) };
  }
}

/** One field of every thread's `/proc/self/task/TID/status`, as `threadField("NoNewPrivs")`. */
export function threadField(field: string): string[] {
  return readdirSync("/proc/self/task").map((tid) => {
    const status = readFileSync(`/proc/self/task/${tid}/status`, "utf8");
    return status.match(new RegExp(`^${field}:\\s*(.*)$`, "m"))![1]!;
  });
}
