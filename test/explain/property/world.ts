/** What the property test draws, as plain data for JSON. */
import type { Operation } from "../../../src/model/operation.ts";
import type { FsRight, NetRight, Rights } from "../../../src/kernel/abi.ts";

/** The steps that create the files, in order. Paths are relative to the world's folder. */
export type Step =
  | { readonly make: "directory" | "regular" | "fifo" | "whiteout" | "char"; readonly path: string }
  | { readonly make: "symlink" | "link"; readonly path: string; readonly to: string }
  /** A UNIX socket whose server is outside the sandbox. */
  | { readonly make: "socket"; readonly path: string; readonly datagram: boolean }
  | { readonly make: "bind"; readonly path: string; readonly from: string }
  | { readonly make: "tmpfs"; readonly path: string };

/** A rule of a drawn layer. */
export type DrawnRule =
  | { readonly path: string; readonly access: readonly FsRight[] }
  | { readonly port: number; readonly access: readonly NetRight[] };

export interface DrawnLayer {
  readonly handled: Rights;
  readonly rules: readonly DrawnRule[];
  /** The number of steps before its paths are opened; a later mount then hides them. */
  readonly at: number;
}

/** An operation, and the system call to use if there are several. */
export interface Trial {
  readonly operation: Operation;
  /** `bind` creates a socket by bind(2), not mknod(2); `send` uses sendto(2), not connect(2). */
  readonly how?: "bind" | "send";
}

/** One process: files, layers, operations. */
export interface World {
  readonly steps: readonly Step[];
  readonly layers: readonly DrawnLayer[];
  readonly trials: readonly Trial[];
  /** Whether it needs a mount namespace. */
  readonly mounts: boolean;
}

/** What the user of the test may do. */
export interface Privileges {
  /** A command that starts a process which may mount; empty if there is none. */
  readonly unshare: readonly string[];
  /** Whether this user can create and use device nodes. */
  readonly devices: boolean;
}

/** The ports of each world, below those that the kernel assigns itself. */
export const ports = { served: 20_001, free: 20_002, any: 0 } as const;

/** The outcome of one trial. */
export interface Outcome {
  /** The name of its kind of operation, as in tables. */
  readonly kind: string;
  /** What the model and the facts predict: `"ok"` or an errno. */
  readonly expected: string;
  readonly actual: string;
  /** Whether the kernel asked Landlock, and the answer that the model predicts. */
  readonly verdict: "allowed" | "denied" | "unasked";
}

/** What a world's process reports. */
export interface Report {
  /** One entry for each trial; null if the facts do not predict the outcome without Landlock. */
  readonly outcomes: readonly (Outcome | null)[];
  /** For each wrong model, the number of trials in which it differs from the kernel. */
  readonly caught: Readonly<Record<string, number>>;
  /** The number of enforced layers. */
  readonly layers: number;
}
