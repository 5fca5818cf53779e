/** Denials to provoke for real: the action, and the rule expected to allow it. */
import type { Database } from "bun:sqlite";
import type * as childProcess from "node:child_process";
import type * as dgram from "node:dgram";
import type * as dns from "node:dns";
import type * as fs from "node:fs";
import type * as module from "node:module";
import type * as net from "node:net";
import type { ExplainOptions, Rule } from "../../src/index.ts";

/** What an action gets. It is sent as source text, so it sees only this and globals. */
export interface Use {
  /** A folder with `file`, `folder/inner`, `run` (a program), `module.ts`, `worker.ts`, `db`. */
  readonly dir: string;
  /** The port of the row's server. */
  readonly port: number;
  /** The id of a process outside the sandbox. */
  readonly pid: number;
  /** A name of this machine in `/etc/hosts`. */
  readonly host: string;
  /** For children with a ruleset of their own: the rules of the row, and the proposed ones. */
  readonly rules: readonly Rule[];
  readonly inside: typeof import("../inside.ts");
  readonly fs: typeof fs;
  readonly net: typeof net;
  readonly dns: typeof dns;
  readonly dgram: typeof dgram;
  readonly childProcess: typeof childProcess;
  readonly module: typeof module;
  readonly Database: typeof Database;
}

/** What a row needs in addition to the action. */
export interface Row {
  /** Fails as for users: throws the error to explain, or returns a child that fails. */
  readonly action: (use: Use) => unknown;
  /**
   * The first proposed rule, with `DIR` and `PORT` for what changes; undefined if none can help.
   */
  readonly code: string | RegExp | undefined;
  /** Rules of the sandbox, with `DIR` in their paths. */
  readonly rules?: readonly Rule[];
  /** Whether the sandbox allows connecting to the server. */
  readonly connects?: boolean;
  /** An older layer with only these rules. */
  readonly olderLayer?: readonly Rule[];
  readonly options?: Pick<ExplainOptions, "access" | "path" | "port">;
  /** Whether the process starts in the row's folder. */
  readonly cwd?: boolean;
  /** The action restricts a child instead of the process. */
  readonly inner?: boolean;
  readonly server?: "tcp" | "tls" | "udp" | "unix";
  readonly abi?: number;
  /** What the machine may lack, such as `"needs git"`. */
  readonly missing?: string;
  readonly uncertain?: boolean;
}

/** Rows by what they do, in a user's words. */
export type Rows = Readonly<Record<string, Row>>;
