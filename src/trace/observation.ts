/** What a traced command did, as far as Landlock looks at it. Plain data. */
import type { Operation } from "../model/operation.ts";

/** One operation that a process tried. */
export interface Attempt {
  readonly kind: "attempt";
  /** The thread that tried it. */
  readonly pid: number;
  /** The process it belongs to. */
  readonly process: number;
  /** The file that the process executes; undefined before its first execve(2). */
  readonly program: string | undefined;
  /** The system call, as `"openat"`. */
  readonly call: string;
  /** Its paths are absolute. */
  readonly operation: Operation;
  /** The errno it failed with, as `"EACCES"`; absent: it succeeded. */
  readonly failed?: string;
  /** Where the kernel says an opened file is, without symbolic links. */
  readonly found?: string;
  /** Symbolic links that were followed before its path was known. */
  readonly via?: readonly string[];
  /** How many times this thread, or one it comes from, was restricted by Landlock in this run. */
  readonly layers: number;
}

/** A thread, or a whole process, restricted itself: `landlock_restrict_self(2)` succeeded. */
interface Restriction {
  readonly kind: "restriction";
  readonly pid: number;
  readonly process: number;
  readonly restricted: true;
}

/**
 * Something that cannot be followed. `io_uring`: a process set up io_uring(7), whose operations are
 * no calls; `place`: a call was about a path, and it cannot be told which; `tracing`: ptrace(2)
 * failed on a process of the run, which is traced already.
 */
interface Gap {
  readonly kind: "gap";
  readonly pid: number;
  readonly program: string | undefined;
  readonly reason: "io_uring" | "place" | "tracing";
  /** The errno that a call failed with. */
  readonly failed?: string;
}

/** What is barred: by layers that restrict paths, or by all of them. */
export type Bar = "mount" | "trace";

/**
 * A call that layers deny whatever their rules: on mounts (`mount`), or on a process that is not of
 * the run (`trace`).
 */
export interface Barred {
  readonly kind: "barred";
  readonly pid: number;
  readonly process: number;
  readonly program: string | undefined;
  /** The system call, as `"umount2"`. */
  readonly call: string;
  readonly bar: Bar;
  /** Where a mount is, or is to be, if that can be told. */
  readonly path?: string;
  readonly failed?: string;
  /** As of an attempt. */
  readonly layers: number;
}

/** The run reached for the trace, or for a process that makes or reads it: it may be forged. */
interface Tampering {
  readonly kind: "tampering";
  readonly pid: number;
  readonly program: string | undefined;
}

/** The kernel told a program which port a socket of its has: `getsockname(2)`. */
interface SocketName {
  readonly kind: "socket";
  readonly pid: number;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

/** A program changed how its terminal behaves, as shells and editors do: the screen is theirs. */
interface TerminalUse {
  readonly kind: "terminal";
  readonly pid: number;
}

/** What a trace tells. */
export type Observation =
  Attempt | Barred | Restriction | Gap | SocketName | Tampering | TerminalUse;

/** How a command ended. */
export interface Ending {
  /** Its exit status, or null where a signal ended it. */
  readonly exitCode: number | null;
  /** The signal, as `"SIGTERM"`, or null. */
  readonly signal: NodeJS.Signals | null;
}
