/** Parses the lines of strace(1) and joins interrupted ones. */
import type { Ending } from "./observation.ts";
import { Values, type Value } from "./value.ts";

/** A system call that returned. */
export interface Call {
  readonly kind: "call";
  readonly pid: number;
  readonly name: string;
  readonly args: readonly Value[];
  /** The arguments that are printed with a name, such as `flags=CLONE_FS`. */
  readonly fields: ReadonlyMap<string, Value>;
  /** The printed result: `0`, `3</etc/passwd>`, `-1` or `?`. */
  readonly result: Value;
  /** The errno's name; missing if the call succeeded. */
  readonly errno?: string;
}

/** The content of a line. */
export type Line =
  | Call
  /** A call has begun. A later line reports its end. */
  | { readonly kind: "begun"; readonly pid: number; readonly name: string }
  | { readonly kind: "ended"; readonly pid: number; readonly ending: Ending }
  /** A signal was delivered, or ignored. */
  | { readonly kind: "signal"; readonly pid: number; readonly signal: string }
  /** A thread other than the first called execve(2), which gave it the first thread's id. */
  | { readonly kind: "renamed"; readonly pid: number; readonly was: number };

/** How strace marks a call whose rest follows on another line. */
const begunEnd = / ?<(?:unfinished|pid changed to \d+) \.\.\.>$/;

/** Joins and parses the lines of one trace. */
export class Lines {
  /** The first parts of unfinished calls, by thread. */
  readonly #begun = new Map<number, string>();

  /**
   * Parses a line.
   *
   * @returns Undefined for stops and unknown lines
   */
  read(text: string): Line | undefined {
    const head = /^(?:\[pid +)?(\d+)\]? +/.exec(text);
    if (!head) return undefined;
    const pid = Number(head[1]);
    const rest = text.slice(head[0].length);
    if (rest.startsWith("+++")) return this.#ending(pid, rest);
    if (rest.startsWith("---")) {
      const signal = /^--- (SIG[A-Z0-9+]+) \{/.exec(rest)?.[1];
      return signal === undefined ? undefined : { kind: "signal", pid, signal };
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest);
    if (resumed) {
      const half = this.#begun.get(pid);
      this.#begun.delete(pid);
      return half === undefined ? undefined : callOf(pid, half + rest.slice(resumed[0].length));
    }
    const begun = begunEnd.exec(rest);
    if (!begun) return callOf(pid, rest);
    this.#begun.set(pid, rest.slice(0, begun.index));
    return { kind: "begun", pid, name: /^\w*/.exec(rest)![0] };
  }

  #ending(pid: number, rest: string): Line | undefined {
    const by = /^\+\+\+ superseded by execve in pid (\d+)/.exec(rest)?.[1];
    if (by === undefined) {
      this.#begun.delete(pid);
      const [, status, signal] =
        /^\+\+\+ (?:exited with (\d+)|killed by (SIG\w+))/.exec(rest) ?? [];
      return {
        kind: "ended",
        pid,
        ending: {
          exitCode: status === undefined ? null : Number(status),
          signal: (signal as NodeJS.Signals | undefined) ?? null,
        },
      };
    }
    const half = this.#begun.get(Number(by));
    this.#begun.delete(Number(by));
    if (half !== undefined) this.#begun.set(pid, half);
    return { kind: "renamed", pid, was: Number(by) };
  }
}

function callOf(pid: number, text: string): Call | undefined {
  const name = /^(\w+)\(/.exec(text)?.[1];
  if (name === undefined) return undefined;
  const values = new Values(text, name.length + 1);
  const { items, fields } = values.list(")");
  const equals = /\s*= /y;
  equals.lastIndex = values.at;
  const found = equals.exec(text);
  if (!found) return undefined;
  const [result, errno] = resultOf(text.slice(equals.lastIndex));
  return { kind: "call", pid, name, args: items, fields, result, ...(errno ? { errno } : {}) };
}

function resultOf(text: string): [Value, string | undefined] {
  const errno = /^(?:-1|\?) (E[A-Z0-9]+)\b/.exec(text)?.[1];
  if (errno !== undefined) return [{ type: "word", word: text.split(" ")[0]! }, errno];
  return [new Values(text).next(), undefined];
}
