/** Calls that a layer denies whatever its rules: mounts, and access to other processes. */
import { openOn, pathAt, type Here } from "./arguments.ts";
import type { Call } from "./line.ts";
import type { Bar } from "./observation.ts";

/** A call that layers deny whatever their rules. */
interface BarredCall {
  readonly bar: Bar;
  /** The mount point. */
  readonly path?: string;
  /** The process that the call affects. */
  readonly target?: number;
}

/**
 * The index of the path in each call's arguments. Source: `security/landlock/fs.c` of Linux 7.3.
 */
const mounts: Readonly<Record<string, readonly [path: number, directory?: number]>> = {
  mount: [1],
  umount: [0],
  umount2: [0],
  move_mount: [3, 2],
  pivot_root: [0],
};

/** `security/landlock/task.c`, `hook_ptrace_access_check()`. */
const traces = ["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd"];

/** All calls that a layer may deny whatever its rules. */
export const barredCalls: readonly string[] = [...Object.keys(mounts), "fsconfig", ...traces];

/** Describes a call that a layer denies whatever its rules; undefined for other calls. */
export function barredBy(call: Call, here: Here): BarredCall | undefined {
  const { name, args } = call;
  if (Object.hasOwn(mounts, name)) {
    const [at, directory] = mounts[name]!;
    const path = pathAt(call, at, here, directory);
    return { bar: "mount", ...(path === undefined ? {} : { path }) };
  }
  const words = args.map((value) => (value.type === "word" ? value.word : ""));
  if (name === "fsconfig") {
    return words[1] === "FSCONFIG_CMD_RECONFIGURE" ? { bar: "mount" } : undefined;
  }
  if (!traces.includes(name)) return undefined;
  if (name === "ptrace") {
    const attaches = words[0] === "PTRACE_ATTACH" || words[0] === "PTRACE_SEIZE";
    return attaches ? { bar: "trace", target: Number(words[1]) } : undefined;
  }
  const pid = name === "pidfd_getfd" ? /^pid:(\d+)/.exec(openOn(args[0]) ?? "")?.[1] : words[0];
  return { bar: "trace", target: Number(pid) };
}
