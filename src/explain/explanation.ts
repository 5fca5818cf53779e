/** The result of `explain()`. */
import { accessNet } from "../kernel/abi.ts";
import { PlainData } from "../validate/values.ts";
import type { Denial } from "../model/model.ts";
import type { Fix } from "./spell.ts";

/**
 * Why something failed: Landlock, ordinary permissions, something missing, another reason in
 * `message`, or an unknown reason. `"allowed"` answers a question.
 */
export type Cause = "landlock" | "permission" | "missing" | "other" | "allowed" | "unknown";

/** The data of an `Explanation`. */
export interface ExplanationData {
  readonly cause: Cause;
  /** Whether the error allows only one explanation. Otherwise `fixes` contains those for each. */
  readonly certain: boolean;
  /** The failed call as the error spells it, or the subject of a question, such as `"open"`. */
  readonly operation: string;
  readonly path: string | undefined;
  readonly port: number | undefined;
  /** What Landlock denied: for each layer and right, the file, directory or port. */
  readonly denials: readonly Denial[];
  /** The rules that would have allowed it, the shortest first. Each one is enough. */
  readonly fixes: readonly Fix[];
  /** Further information, in sentences. */
  readonly notes: readonly string[];
  /** The whole explanation in one sentence. */
  readonly message: string;
  /** The explained error; `undefined` for a child or a question. */
  readonly error: unknown;
}

/** Node's names for permissions. */
export type NodePermission = "FileSystemRead" | "FileSystemWrite" | "ChildProcess" | "Net";

/** A denial as Node's permission model reports it. */
export interface AccessDeniedError extends Error {
  readonly code: "ERR_ACCESS_DENIED";
  readonly permission: NodePermission;
  /** The path, or the port as text. */
  readonly resource: string;
}

/** The result of `explain()`. Frozen plain data with one method. */
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

  /** The explained error; `undefined` for a child or a question. */
  get error(): unknown {
    return this.#error;
  }

  /**
   * Converts this to an error of Node's permission model, for code that catches those. Its `code`
   * is `"ERR_ACCESS_DENIED"`, and it has `permission`, `resource` and the explained error as its
   * `cause`.
   *
   * @returns Undefined if the cause isn't Landlock
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

/** The fields of an explanation. */
export interface Explanation extends ExplanationData {}

function permissionOf({ right }: Denial, operation: string): NodePermission {
  if (right === "execute" || right === "signal" || /spawn|execve/.test(operation)) {
    return "ChildProcess";
  }
  if (right === "read_file" || right === "read_dir") return "FileSystemRead";
  const network: readonly string[] = [...accessNet, "abstract_unix_socket", "resolve_unix"];
  return network.includes(right) ? "Net" : "FileSystemWrite";
}
