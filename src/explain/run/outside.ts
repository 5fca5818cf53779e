/** Processes outside of the sandbox: Landlock lets nobody inside look into them, whatever the rules. */
import { readFileSync } from "node:fs";

/** What the kernel shows of a process to those who may trace it: `ptrace(2)`, `proc(5)`. */
const guarded =
  /^\/proc\/(\d+)(\/task\/\d+)?\/(environ|auxv|mem|maps|smaps\w*|numa_maps|pagemap|stack|syscall|personality|io|timers|map_files|fd|fdinfo|ns|cwd|exe|root)(\/|$)/;

/** Whether a path is about a process that was there before this one, and so before the command. */
export function isOfOutside(path: string): boolean {
  const pid = guarded.exec(path)?.[1];
  if (pid === undefined) return false;
  const [started, own] = [startOf(pid), startOf("self")];
  return started !== undefined && own !== undefined && started < own;
}

/** When a process started, in ticks since the machine did. */
function startOf(pid: string): number | undefined {
  try {
    // The name, which may hold anything, ends with the last bracket.
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
    return Number(fields[19]);
  } catch {
    return undefined;
  }
}
