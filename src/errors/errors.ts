import { worded, type Hint, type Surface } from "./hints.ts";

/** What went wrong, for `catch` blocks: each code stands for one remedy. */
export type LandlockErrorCode =
  /** A rule, a Config or an argument is not valid, or they do not fit together. */
  | "ERR_LANDLOCK_INVALID_RULE"
  /** A path of a rule, a command, or the file of a policy cannot be used. */
  | "ERR_LANDLOCK_PATH"
  /** This kernel was built without Landlock. */
  | "ERR_LANDLOCK_UNSUPPORTED"
  /** Landlock was left out when this machine booted. */
  | "ERR_LANDLOCK_DISABLED"
  /** Something, most often a container's seccomp profile, forbids the Landlock calls. */
  | "ERR_LANDLOCK_BLOCKED"
  /** There is no Landlock outside Linux. */
  | "ERR_LANDLOCK_NOT_LINUX"
  /** The kernel's Landlock is too old for what was asked. */
  | "ERR_LANDLOCK_ABI_TOO_OLD"
  /** 16 layers are in force already. */
  | "ERR_LANDLOCK_TOO_MANY_LAYERS"
  /** A thread did not answer in time; nothing has changed. */
  | "ERR_LANDLOCK_THREADS_UNREACHABLE"
  /** Some threads are restricted and some are not: the process must end. */
  | "ERR_LANDLOCK_THREADS_DIVERGED"
  /** The native library cannot be used. */
  | "ERR_LANDLOCK_NATIVE"
  /** A system call failed in a way that has no code of its own. */
  | "ERR_LANDLOCK_SYSCALL";

/** What a `LandlockError` carries beside its message. */
interface LandlockErrorDetails {
  /** The system call that failed. */
  readonly syscall?: string;
  /** Its errno, positive. */
  readonly errno?: number;
  /** The path of a rule or a command. */
  readonly path?: string;
  /** Whether any thread was altered; default false. */
  readonly processChanged?: boolean;
  readonly cause?: unknown;
  /** @internal What would help; each surface has words of its own for it. */
  readonly hint?: Hint;
}

/** What the messages with a hint are made of, for the surfaces other than the library. */
const hinted = new WeakMap<LandlockError, { readonly problem: string; readonly hint: Hint }>();

/**
 * An error's message as a surface words it: `"method"`, as `error.message`, for programs,
 * `"option"` for the command line, `"key"` for policies.
 */
export function messageFor(error: LandlockError, surface: Surface): string {
  const parts = hinted.get(error);
  return parts ? printable(worded(parts.problem, parts.hint, surface)) : error.message;
}

/**
 * The one error class. The message is one sentence with the fix in it; programs read `code`.
 */
export class LandlockError extends Error {
  static {
    // As publicClass() of plain.ts, which imports this file.
    Object.defineProperty(this, "name", { value: "LandlockError" });
    this.prototype.name = "LandlockError";
  }

  readonly code: LandlockErrorCode;
  /** The system call that failed, as `"openat"`. */
  declare readonly syscall?: string;
  /** Its errno, a positive number. */
  declare readonly errno?: number;
  /** Its errno as the kernel's documentation spells it, as `"EACCES"`. */
  declare readonly errnoName?: string;
  /** The path of a rule or a command. */
  declare readonly path?: string;
  /**
   * Whether any thread was altered before the error. After `ERR_LANDLOCK_THREADS_DIVERGED`
   * the process must end; otherwise only no_new_privs was set, and the process may go on.
   */
  readonly processChanged: boolean;

  /**
   * Public for tests and for code that builds on this library; nobody else needs to call it.
   *
   * @param code What went wrong
   * @param problem What could not be done, and why
   * @param details What else the error carries
   */
  constructor(code: LandlockErrorCode, problem: string, details: LandlockErrorDetails = {}) {
    const { hint } = details;
    super(
      printable(hint ? worded(problem, hint, "method") : problem),
      "cause" in details ? { cause: details.cause } : undefined,
    );
    if (hint) hinted.set(this, { problem, hint });
    this.code = code;
    this.processChanged = details.processChanged ?? false;
    if (details.syscall !== undefined) this.syscall = details.syscall;
    if (details.path !== undefined) {
      // Bun prints the fields of an uncaught error as they are, orders to a terminal included.
      const enumerable = printable(details.path) === details.path;
      Object.defineProperty(this, "path", { value: details.path, enumerable });
    }
    if (details.errno !== undefined) {
      this.errno = details.errno;
      this.errnoName = errnoName(details.errno);
    }
  }
}

/**
 * Runs the body of a public function. What it throws shows the line that called the function: Bun
 * prints the code around the first frame, which would be minified code of this package.
 *
 * @param caller The function or class; `body` is all that may throw
 */
export function atCaller<Result>(caller: Function, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (error instanceof LandlockError) showCaller(error, caller);
    throw error;
  }
}

function showCaller(error: Error, caller: Function): void {
  if (!Object.isExtensible(error)) return;
  Error.captureStackTrace(error, caller);
  // A function that ends in a call is off the stack by then.
  if (!error.stack?.includes("\n    at ")) Error.captureStackTrace(error, atCaller);
  if (error.cause instanceof Error) showCaller(error.cause, caller);
}

/**
 * Characters that give orders to a terminal, end a line, reverse the direction of what follows or
 * cannot be seen. A name may hold any of them.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const hexOf = (code: number, digits: number) => code.toString(16).padStart(digits, "0");

/**
 * Text for a terminal or a comment, with its unprintable characters spelled out. Bytes of names
 * that are not UTF-8 are `\xff`.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (one) => {
    const code = one.codePointAt(0)!;
    // As `kernel/names.ts` has them: U+DCFF is the byte 0xff.
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hexOf(code - 0xdc00, 2)}`;
    // One by one, as JSON has what is beyond U+FFFF.
    return one.split("").reduce((all, unit) => `${all}\\u${hexOf(unit.charCodeAt(0), 4)}`, "");
  });
}

/** A string of TOML, in which nothing is unprintable. */
export function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll(unprintable, (one) => {
    const code = one.codePointAt(0)!;
    return code > 0xffff ? `\\U${hexOf(code, 8)}` : `\\u${hexOf(code, 4)}`;
  });
}

/** Text of many lines, each of them printable. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** A name as it stands in a sentence, in TypeScript and in JSON: in double quotes. */
export function quoted(name: string): string {
  return printable(JSON.stringify(name));
}

/** The kernel's name of an errno: `errno(3)`. Names that Bun spells otherwise or lacks are here. */
export function errnoName(errno: number): string {
  const own: Record<number, string> = { 11: "EAGAIN", 77: "EBADFD", 95: "EOPNOTSUPP" };
  if (own[errno]) return own[errno];
  const { errno: known } = (require("node:os") as typeof import("node:os")).constants;
  return Object.entries(known).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
}

/** errnos of calls that a kernel with Landlock only fails with where a filter forbids them. */
const filtered = [1, 13, 38];

/**
 * The error for a system call that failed in a way that needs no words of its own.
 *
 * @param what What cannot be done, as `"Cannot build the ruleset"`
 * @param errno Its errno, positive
 */
export function syscallError(
  what: string,
  syscall: string,
  errno: number,
  details: LandlockErrorDetails = {},
): LandlockError {
  const blocked = syscall.startsWith("landlock_") && filtered.includes(errno);
  const fix = blocked ? `allow ${syscall} in the container's seccomp profile` : fixOf(errno);
  return new LandlockError(
    blocked ? "ERR_LANDLOCK_BLOCKED" : "ERR_LANDLOCK_SYSCALL",
    `${what}: ${syscall} failed with ${errnoName(errno)}; ${fix}`,
    { ...details, syscall, errno },
  );
}

/** What to do about an errno of a system call, for the end of a message. */
export function fixOf(errno: number): string {
  const fixes: Record<number, string> = {
    12: "free some memory",
    23: "close files, the machine is out of them",
    24: "close files, or raise their limit, ulimit -n",
    27: "raise the limit on the size of files, ulimit -f",
  };
  return fixes[errno] ?? "see its manual page";
}
