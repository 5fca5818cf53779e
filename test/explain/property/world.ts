/** What the property test draws, as plain data that JSON carries. */
import type { Operation } from "../../../src/model/operation.ts";
import type { FsRight, NetRight, Rights } from "../../../src/kernel/abi.ts";

/** What makes the files, one after the other. Paths are relative to the folder of the world. */
export type Step =
  | { readonly make: "directory" | "regular" | "fifo" | "whiteout" | "char"; readonly path: string }
  | { readonly make: "symlink" | "link"; readonly path: string; readonly to: string }
  /** A UNIX socket with a server outside of the sandbox. */
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
  /** After how many steps its paths are opened: later mounts then hide what they are about. */
  readonly at: number;
}

/** An operation, and which system call does it where there are several. */
export interface Trial {
  readonly operation: Operation;
  /** `bind`: a socket by bind(2), not mknod(2); `send`: a datagram by sendto(2), not connect(2). */
  readonly how?: "bind" | "send";
}

/** One process: files, layers, operations. */
export interface World {
  readonly steps: readonly Step[];
  readonly layers: readonly DrawnLayer[];
  readonly trials: readonly Trial[];
  /** Whether it takes a mount namespace. */
  readonly mounts: boolean;
}

/** What the user who runs the test may do. */
export interface Privileges {
  /** A command that starts a process which may mount; empty: there is none. */
  readonly unshare: readonly string[];
  /** Whether device nodes can be made, and used. */
  readonly devices: boolean;
}

/** Ports of each world: below those that the kernel gives out by itself. */
export const ports = { served: 20_001, free: 20_002, any: 0 } as const;

/** What came of one trial. */
export interface Outcome {
  /** A name for the kind of operation, as tables show it. */
  readonly kind: string;
  /** What the model and the facts say: `"ok"` or an errno. */
  readonly expected: string;
  readonly actual: string;
  /** Whether Landlock was asked, and what the model says it said. */
  readonly verdict: "allowed" | "denied" | "unasked";
}

/** What the process of a world reports. */
export interface Report {
  /** By trial; null: the facts do not say what it does without Landlock. */
  readonly outcomes: readonly (Outcome | null)[];
  /** By wrong model: in how many trials it was not what the kernel did. */
  readonly caught: Readonly<Record<string, number>>;
  /** Layers in force. */
  readonly layers: number;
}
