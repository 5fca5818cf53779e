/** Denials to provoke for real: what is done, and which rule is expected to allow it. */
import type { Database } from "bun:sqlite";
import type * as childProcess from "node:child_process";
import type * as dgram from "node:dgram";
import type * as dns from "node:dns";
import type * as fs from "node:fs";
import type * as module from "node:module";
import type * as net from "node:net";
import type { ExplainOptions, Rule } from "../../src/index.ts";

/** What an action gets. It travels as text, and sees nothing else but globals. */
export interface Use {
  /** With `file`, `folder/inner`, `run` (a program), `module.ts`, `worker.ts`, `db`. */
  readonly dir: string;
  /** Of the server that the row asks for. */
  readonly port: number;
  /** A process outside. */
  readonly pid: number;
  /** A name of this machine that stands in `/etc/hosts`. */
  readonly host: string;
  /** For children in a ruleset of their own: the rules of the row, and those that were proposed. */
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

/** What a row needs beside the action itself. */
export interface Row {
  /** Fails as it does for users; what is to be explained is thrown, a child too. */
  readonly action: (use: Use) => unknown;
  /** The first rule proposed, with `DIR` and `PORT` in place of what changes; none: none can help. */
  readonly code: string | RegExp | undefined;
  /** Rules that are there before, with `DIR` in their paths. */
  readonly rules?: readonly Rule[];
  /** Whether connecting to the server is allowed before. */
  readonly connects?: boolean;
  /** An older layer, with these rules only. */
  readonly olderLayer?: readonly Rule[];
  readonly options?: Pick<ExplainOptions, "access" | "path" | "port">;
  /** Whether the process is started in its place. */
  readonly cwd?: boolean;
  /** The action restricts a child, and not the process. */
  readonly inner?: boolean;
  readonly server?: "tcp" | "tls" | "udp" | "unix";
  readonly abi?: number;
  /** What the machine may lack, as `"needs git"`. */
  readonly missing?: string;
  readonly uncertain?: boolean;
}

/** By what is done, as a person would say it. */
export type Rows = Readonly<Record<string, Row>>;
