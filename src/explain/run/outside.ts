/**
 * Recognizes files of processes outside of the sandbox. Landlock denies them whatever the rules.
 */
import { readFileSync } from "node:fs";

/** What the kernel only shows to processes that may trace the owner: `ptrace(2)`, `proc(5)`. */
const guarded =
  /^\/proc\/(\d+)(\/task\/\d+)?\/(environ|auxv|mem|maps|smaps\w*|numa_maps|pagemap|stack|syscall|personality|io|timers|map_files|fd|fdinfo|ns|cwd|exe|root)(\/|$)/;

/** Whether a path belongs to a process that started before this one, so it isn't the command's. */
export function isOfOutside(path: string): boolean {
  const pid = guarded.exec(path)?.[1];
  if (pid === undefined) return false;
  const [started, own] = [startOf(pid), startOf("self")];
  return started !== undefined && own !== undefined && started < own;
}

/** When a process started, in clock ticks since boot. */
function startOf(pid: string): number | undefined {
  try {
    // The name of the process may contain anything, but ends with the last bracket.
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
    return Number(fields[19]);
  } catch {
    return undefined;
  }
}
