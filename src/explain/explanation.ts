/** What `explain()` answers. */
import { accessNet } from "../kernel/abi.ts";
import { PlainData } from "../validate/values.ts";
import type { Denial } from "../model/model.ts";
import type { Fix } from "./spell.ts";

/**
 * Why something failed: Landlock; ordinary permissions; something that is not there; something else
 * that `message` names; or nothing that can be told. `"allowed"` answers a question.
 */
export type Cause = "landlock" | "permission" | "missing" | "other" | "allowed" | "unknown";

/** What an `Explanation` consists of. */
export interface ExplanationData {
  readonly cause: Cause;
  /** Whether no other reading of the error makes sense; where not, `fixes` has those for each. */
  readonly certain: boolean;
  /** The failed call, as the error spells it, or what was asked about, as `"open"`. */
  readonly operation: string;
  readonly path: string | undefined;
  readonly port: number | undefined;
  /** What Landlock denied: for each layer and right, the file, directory or port it is about. */
  readonly denials: readonly Denial[];
  /** The rules that would have allowed it, the shortest first; each one is enough. */
  readonly fixes: readonly Fix[];
  /** What else there is to know, in sentences. */
  readonly notes: readonly string[];
  /** All of it in one sentence. */
  readonly message: string;
  /** The error that was explained; `undefined` for a child or a question. */
  readonly error: unknown;
}

/** What Node calls the permission that is missing. */
export type NodePermission = "FileSystemRead" | "FileSystemWrite" | "ChildProcess" | "Net";

/** A denial as Node's permission model reports it. */
export interface AccessDeniedError extends Error {
  readonly code: "ERR_ACCESS_DENIED";
  readonly permission: NodePermission;
  /** The path, or the port as text. */
  readonly resource: string;
}

/** What `explain()` found. Frozen plain data with one method. */
export class Explanation extends PlainData {
  readonly #error: unknown;

  /** @internal */
  constructor({ error, ...found }: ExplanationData) {
    super();
    Object.assign(this, {
      ...found,
      denials: Object.freeze(found.denials.map((denial) => Object.freeze({ ...denial }))),
      fixes: Object.freeze([...found.fixes]),
      notes: Object.freeze([...found.notes]),
    });
    this.#error = error;
    Object.freeze(this);
  }

  /** The error that was explained; `undefined` for a child or a question. */
  get error(): unknown {
    return this.#error;
  }

  /**
   * The same as an error of Node's permission model, for code that catches those: `code` is
   * `"ERR_ACCESS_DENIED"`, with `permission` and `resource`, and the explained error as its `cause`.
   *
   * @returns Nothing where the cause is not Landlock
   * @see {@link https://nodejs.org/api/permissions.html}
   */
  toNodeError(): AccessDeniedError | undefined {
    const [denial] = this.denials;
    if (this.cause !== "landlock" || denial === undefined) return undefined;
    const cause = this.#error === undefined ? {} : { cause: this.#error };
    return Object.assign(new Error(this.message, cause), {
      code: "ERR_ACCESS_DENIED" as const,
      permission: permissionOf(denial, this.operation),
      resource: denial.path ?? (denial.port === undefined ? "" : `${denial.port}`),
    });
  }
}

/** Its fields. */
export interface Explanation extends ExplanationData {}

function permissionOf({ right }: Denial, operation: string): NodePermission {
  if (right === "execute" || right === "signal" || /spawn|execve/.test(operation)) {
    return "ChildProcess";
  }
  if (right === "read_file" || right === "read_dir") return "FileSystemRead";
  const network: readonly string[] = [...accessNet, "abstract_unix_socket", "resolve_unix"];
  return network.includes(right) ? "Net" : "FileSystemWrite";
}
