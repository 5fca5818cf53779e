/** What a traced command did, limited to what Landlock checks, as plain data. */
import type { Operation } from "../model/operation.ts";

/** One operation that a process tried. */
export interface Attempt {
  readonly kind: "attempt";
  /** The thread that tried it. */
  readonly pid: number;
  /** The process it belongs to. */
  readonly process: number;
  /** The program file of the process; undefined before its first execve(2). */
  readonly program: string | undefined;
  /** The system call, such as `"openat"`. */
  readonly call: string;
  /** Its paths are absolute. */
  readonly operation: Operation;
  /** The errno it failed with, such as `"EACCES"`; missing if it succeeded. */
  readonly failed?: string;
  /** The opened file's path without symbolic links, as the kernel reports it. */
  readonly found?: string;
  /** Symbolic links that led to the operation's path. */
  readonly via?: readonly string[];
  /** How many layers this thread got in this run, including those inherited from its parent. */
  readonly layers: number;
  /** Whether the thread may have become another user, or got other groups. */
  readonly isOther?: true;
}

/** A thread, or a whole process, restricted itself: `landlock_restrict_self(2)` succeeded. */
interface Restriction {
  readonly kind: "restriction";
  readonly pid: number;
  readonly process: number;
  readonly restricted: true;
}

/**
 * Something that can't be followed. `io_uring`: a process set up io_uring(7), which bypasses system
 * calls. `place`: a call's path can't be determined. `tracing`: ptrace(2) failed because the target
 * is already traced.
 */
interface Gap {
  readonly kind: "gap";
  readonly pid: number;
  readonly program: string | undefined;
  readonly reason: "io_uring" | "place" | "tracing";
  /** The errno that a call failed with. */
  readonly failed?: string;
}

/** What is denied. Layers that restrict paths deny `mount`; all layers deny `trace`. */
export type Bar = "mount" | "trace";

/** A call that layers deny whatever their rules: a mount, or tracing a process outside the run. */
export interface Barred {
  readonly kind: "barred";
  readonly pid: number;
  readonly process: number;
  readonly program: string | undefined;
  /** The system call, such as `"umount2"`. */
  readonly call: string;
  readonly bar: Bar;
  /** The mount point, if it is known. */
  readonly path?: string;
  readonly failed?: string;
  /** As in `Attempt`. */
  readonly layers: number;
}

/**
 * The run accessed the trace or a process that produces or reads it, so observations may be forged.
 */
interface Tampering {
  readonly kind: "tampering";
  readonly pid: number;
  readonly program: string | undefined;
}

/** A program asked the kernel for the port of its socket with `getsockname(2)`. */
interface SocketName {
  readonly kind: "socket";
  readonly pid: number;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

/** A program changed its terminal's mode, as shells and editors do, so it controls the screen. */
interface TerminalUse {
  readonly kind: "terminal";
  readonly pid: number;
}

/** Any observation of a trace. */
export type Observation =
  Attempt | Barred | Restriction | Gap | SocketName | Tampering | TerminalUse;

/** How a command ended. */
export interface Ending {
  /** Its exit status, or null if a signal ended it. */
  readonly exitCode: number | null;
  /** The signal, such as `"SIGTERM"`, or null. */
  readonly signal: NodeJS.Signals | null;
}
