/**
 * What this process inherited at its start, read from /proc because Bun's own answers lose some of
 * it.
 */
import { nameOf } from "./names.ts";
import { readFile } from "./syscalls.ts";

/** The strings of `/proc/self/cmdline` or `environ`, each with its NUL. Undefined without /proc. */
export function inheritedStrings(name: "cmdline" | "environ"): Uint8Array[] | undefined {
  const bytes = readFile(`/proc/self/${name}`);
  if (bytes === undefined) return undefined;
  const strings: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const nul = bytes.indexOf(0, start);
    const end = nul < 0 ? bytes.length : nul + 1;
    strings.push(bytes.slice(start, end));
    start = end;
  }
  return strings;
}

/**
 * A variable of the environment that this process was started with. It ignores variables that Bun
 * adds to `process.env` from an `.env` file. `names.ts` describes bytes that aren't UTF-8.
 */
export function inheritedVariable(name: string): string | undefined {
  const strings = inheritedStrings("environ");
  if (strings === undefined) return process.env[name];
  const start = new TextEncoder().encode(`${name}=`);
  const found = strings.find((string) => start.every((byte, at) => string[at] === byte));
  return found && nameOf(found.subarray(start.length, -1));
}

/** SIGPIPE and SIGXFSZ. Bun always ignores them, so their state before Bun started is unknown. */
const ignoredByBun = [13, 25];

/** The numbers of the ignored signals, except SIGPIPE and SIGXFSZ. Empty without /proc. */
export function ignoredSignals(): number[] {
  const status = readFile("/proc/self/status");
  if (status === undefined) return [];
  const mask = /^SigIgn:\s*([0-9a-f]+)/m.exec(new TextDecoder().decode(status))?.[1] ?? "0";
  const bits = BigInt(`0x${mask}`);
  return Array.from({ length: 64 }, (_, at) => at + 1).filter(
    (signal) => (bits >> BigInt(signal - 1)) & 1n && !ignoredByBun.includes(signal),
  );
}
