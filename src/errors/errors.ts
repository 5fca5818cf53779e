import {
  EACCES,
  EAGAIN,
  EBADFD,
  EFBIG,
  EMFILE,
  ENFILE,
  ENOMEM,
  ENOSYS,
  EOPNOTSUPP,
  EPERM,
} from "./errno.ts";
import { worded, type Hint, type Surface } from "./hints.ts";

/** What went wrong, for `catch` blocks. Each code stands for one remedy. */
export type LandlockErrorCode =
  /** A rule, a Config or an argument is invalid, or they contradict each other. */
  | "ERR_LANDLOCK_INVALID_RULE"
  /** A policy is invalid, or its rules contradict what it restricts: correct the policy. */
  | "ERR_LANDLOCK_INVALID_POLICY"
  /** The command line is invalid, or the program was started in a way that can't work. */
  | "ERR_LANDLOCK_USAGE"
  /** The `Ruleset` is closed: make another one. */
  | "ERR_LANDLOCK_CLOSED"
  /** A path of a rule, a command, or the file of a policy can't be used. */
  | "ERR_LANDLOCK_PATH"
  /** This kernel was built without Landlock. */
  | "ERR_LANDLOCK_UNSUPPORTED"
  /** Landlock was not enabled when this machine booted. */
  | "ERR_LANDLOCK_DISABLED"
  /** Something forbids the Landlock system calls, usually a container's seccomp profile. */
  | "ERR_LANDLOCK_BLOCKED"
  /** There is no Landlock outside Linux. */
  | "ERR_LANDLOCK_NOT_LINUX"
  /** The kernel's Landlock is too old for what was asked. */
  | "ERR_LANDLOCK_ABI_TOO_OLD"
  /** 16 layers are already in force. */
  | "ERR_LANDLOCK_TOO_MANY_LAYERS"
  /** A thread did not answer in time, and nothing was restricted. */
  | "ERR_LANDLOCK_THREADS_UNREACHABLE"
  /** Some threads are restricted and some aren't, so the process must end. */
  | "ERR_LANDLOCK_THREADS_DIVERGED"
  /** The native library can't be used. */
  | "ERR_LANDLOCK_NATIVE"
  /** A system call failed in a way that has no code of its own. */
  | "ERR_LANDLOCK_SYSCALL";

/** What a `LandlockError` carries besides its message. */
interface LandlockErrorDetails {
  /** The system call that failed. */
  readonly syscall?: string | undefined;
  /** Its errno. */
  readonly errno?: number | undefined;
  /** The path of a rule or a command. */
  readonly path?: string | undefined;
  /** Whether any thread was changed; default false. */
  readonly processChanged?: boolean;
  readonly cause?: unknown;
  /** @internal The remedy, which each surface puts into its own words. */
  readonly hint?: Hint | undefined;
  /** @internal Where a person sees the error; default `"method"`. */
  readonly surface?: Surface;
  /** @internal The policy, and the place in it, that the message begins with. */
  readonly source?: string | undefined;
}

/** The parts of a message, so that other surfaces can word it. */
interface Parts {
  readonly problem: string;
  readonly hint: Hint | undefined;
  readonly surface: Surface;
  readonly source: string | undefined;
}

const partsOf = new WeakMap<LandlockError, Parts>();

function messageOf({ problem, hint, source }: Parts, surface: Surface): string {
  const text = hint ? worded(problem, hint, surface) : problem;
  return printable(source === undefined ? text : `${source}: ${text}`);
}

/**
 * An error's message in the words of a surface: `"method"` for programs, as in `error.message`,
 * `"option"` for the command line, the others for policies. An error that was made for a policy or the
 * command line keeps its words.
 */
export function messageFor(error: LandlockError, surface: Surface): string {
  const parts = partsOf.get(error);
  return parts?.surface === "method" ? messageOf(parts, surface) : error.message;
}

/**
 * The same error for the person who wrote a command line or a policy, with the code and the words
 * of that surface.
 *
 * @param source The policy, and the place in it
 */
export function errorFor(
  error: LandlockError,
  surface: Exclude<Surface, "method">,
  source?: string,
): LandlockError {
  const parts = partsOf.get(error);
  if (parts?.surface !== "method") return error;
  const { syscall, errno, path, processChanged } = error;
  const wrong = surface === "option" ? "ERR_LANDLOCK_USAGE" : "ERR_LANDLOCK_INVALID_POLICY";
  const code = error.code === "ERR_LANDLOCK_INVALID_RULE" ? wrong : error.code;
  const { problem, hint } = parts;
  const details = { hint, surface, source, syscall, errno, path, processChanged };
  return new LandlockError(code, problem, { ...details, cause: error });
}

/** The only error class. Its message includes the fix, and programs read its `code`. */
export class LandlockError extends Error {
  static {
    // Does what publicClass() of values.ts does, which can't be imported here because it imports
    // this file.
    Object.defineProperty(this, "name", { value: "LandlockError" });
    this.prototype.name = "LandlockError";
  }

  readonly code: LandlockErrorCode;
  /** The system call that failed, such as `"openat"`. */
  declare readonly syscall?: string;
  /** Its errno, a positive number. */
  declare readonly errno?: number;
  /** Its errno as the kernel's documentation spells it, such as `"EACCES"`. */
  declare readonly errnoName?: string;
  /** The path of a rule or a command. */
  declare readonly path?: string;
  /**
   * Whether any thread was changed before the error. After `ERR_LANDLOCK_THREADS_DIVERGED` the
   * process must end. Otherwise only no_new_privs was set, and the process may continue.
   */
  readonly processChanged: boolean;

  /**
   * Public only for tests and for code that builds on this library.
   *
   * @param code What went wrong
   * @param problem What could not be done, and why
   * @param details What else the error carries
   */
  constructor(code: LandlockErrorCode, problem: string, details: LandlockErrorDetails = {}) {
    const { hint, surface = "method", source } = details;
    const parts = { problem, hint, surface, source };
    super(messageOf(parts, surface), "cause" in details ? { cause: details.cause } : undefined);
    partsOf.set(this, parts);
    this.code = code;
    this.processChanged = details.processChanged ?? false;
    if (details.syscall !== undefined) this.syscall = details.syscall;
    if (details.path !== undefined) {
      // Bun prints the fields of an uncaught error unescaped, including control characters.
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
 * Characters that control a terminal, break lines, reverse text direction or are invisible. A file
 * name may contain all of them.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const hexOf = (code: number, digits: number) => code.toString(16).padStart(digits, "0");

/**
 * Text that is safe for a terminal or a comment: unprintable characters are escaped. Bytes of names
 * that aren't UTF-8 become `\xff`.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (one) => {
    const code = one.codePointAt(0)!;
    // `kernel/names.ts` represents the byte 0xff as U+DCFF.
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hexOf(code - 0xdc00, 2)}`;
    // Escapes both surrogates of a character beyond U+FFFF, as JSON does.
    return one.split("").reduce((all, unit) => `${all}\\u${hexOf(unit.charCodeAt(0), 4)}`, "");
  });
}

/** A TOML string with unprintable characters escaped. */
export function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll(unprintable, (one) => {
    const code = one.codePointAt(0)!;
    return code > 0xffff ? `\\U${hexOf(code, 8)}` : `\\u${hexOf(code, 4)}`;
  });
}

/** Makes each line of a text printable. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** A name in double quotes for a message, as in TypeScript and JSON. */
export function quoted(name: string): string {
  return printable(JSON.stringify(name));
}

/** The kernel's name of an errno (`errno(3)`). Bun lacks some names or spells them differently. */
export function errnoName(errno: number): string {
  const own: Record<number, string> = {
    [EAGAIN]: "EAGAIN",
    [EBADFD]: "EBADFD",
    [EOPNOTSUPP]: "EOPNOTSUPP",
  };
  if (own[errno]) return own[errno];
  const { errno: known } = (require("node:os") as typeof import("node:os")).constants;
  return Object.entries(known).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
}

/** On a kernel with Landlock, these errnos only occur if a filter forbids the call. */
const filtered = [EPERM, EACCES, ENOSYS];

/**
 * The error for a failed system call that needs no specific message.
 *
 * @param what What can't be done, such as `"Cannot build the ruleset"`
 * @param errno Its errno
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

/** What to do about a system call's errno, as the end of a message. */
export function fixOf(errno: number): string {
  const fixes: Record<number, string> = {
    [ENOMEM]: "free some memory",
    [ENFILE]: "close files, because the system has too many open",
    [EMFILE]: "close files, or raise their limit with ulimit -n",
    [EFBIG]: "raise the limit on file sizes with ulimit -f",
  };
  return fixes[errno] ?? "see its manual page";
}
