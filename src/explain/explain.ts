/**
 * Explains why something was denied, and which rule would allow it. The published bundle evaluates
 * this code on the first call: see `src/build/lazy.ts`.
 */
import { channel } from "node:diagnostics_channel";
import { enforcedLayers, startedAs, type Started } from "../sandbox/layers.ts";
import { LandlockError } from "../errors/errors.ts";
import { childHypotheses, endOf, type Ended } from "./child.ts";
import { mergeHypotheses, type Hypotheses } from "./attempt.ts";
import type { Explanation } from "./explanation.ts";
import { failuresOf, isErrno, type Failure } from "./failure.ts";
import { machineFiles } from "../model/files.ts";
import { baseOf, judge, plainly } from "./judge.ts";
import { recordedLayers, plannedLayers, type Known, type LayerLike } from "./known.ts";
import { isPermitted, type PermissionScope } from "./question.ts";
import { launching, hypothesesOf } from "./hypotheses.ts";
import type { FsRight, NetRight } from "../kernel/abi.ts";
import { parse } from "../validate/parse.ts";
import type { PathLike } from "../validate/values.ts";

/** The `node:diagnostics_channel` that receives the `Explanation` of a denial by the layers. */
const channelName = "bun-landlock:denied";

/** What to judge by, and what an error doesn't tell. */
export interface ExplainOptions {
  /**
   * Layers to judge by, in the order in which they were enforced. Default: those of this thread, or
   * for a child those that it was started in. Give a policy's plan to ask before it is enforced, or
   * in a Worker the `Report` of the thread that restricted the process.
   */
  readonly layers?: readonly (LayerLike | { readonly plan: LayerLike })[];
  /** The rights that were needed. An asynchronous `open` doesn't tell. */
  readonly access?: FsRight | readonly FsRight[];
  /** The path that the error is about. Errors of SQLite and Workers name none. */
  readonly path?: PathLike;
  /** The port that the error is about. Errors of `Bun.connect()` name none. */
  readonly port?: number;
}

/**
 * Explains why something failed: because of Landlock, ordinary permissions, or something missing.
 * For Landlock it names the layer, the right, the file or port, and the shortest rule that would
 * allow it. It gives that rule as code, as flags of `landlock-restrict` and as lines of a policy.
 * It recognizes disguised denials: `EXDEV`, `EAI_AGAIN`, a certificate that can't be verified, an
 * existing module that isn't found, SQLite's `SQLITE_CANTOPEN`, and a Bun that aborts.
 *
 * Errors tell little about what was tried. This derives it from the error, the rules of the layers
 * and the current files, with a model of Landlock's decisions. It changes nothing, and opens files
 * only to look them up for presets. Denials by the enforced layers are published on the
 * `node:diagnostics_channel` named `bun-landlock:denied`.
 *
 * ```ts
 * try {
 *   await Bun.file("/etc/resolv.conf").text();
 * } catch (error) {
 *   console.error(explain(error).message);
 * }
 * ```
 *
 * @param what An error; the event of a failed Worker; an ended child of `ruleset.spawn()`,
 *   `Bun.spawn()` or `node:child_process`; or a question: `{ path, access }` or `{ port, access }`,
 *   where `access` is a right such as `"read_file"`, or a list of rights
 * @param options What to judge by, and what the error doesn't tell
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if there is nothing to explain, a child still
 *   runs, or an option is invalid
 */
export function explain(what: unknown, options: ExplainOptions = {}): Explanation {
  const { layers, access, path, port } = parse("explainOptions", options, "explain()");
  const hint = {
    ...(path === undefined ? {} : { path: toPath(path) }),
    ...(port === undefined ? {} : { port }),
    ...(access === undefined ? {} : { access: [access].flat() }),
  };
  if (typeof what !== "object" || what === null) throw nothing(what);
  const judged = layers as ExplainOptions["layers"];
  const explanation = readable(what, () => explanationOf(what, judged, hint));
  if (explanation.cause === "landlock" && judged === undefined) {
    channel(channelName).publish(explanation);
  }
  return explanation;
}

/** A caller who asks about an error doesn't expect another one. */
function readable<Result>(what: object, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof LandlockError) throw cause;
    const message = `explain(): this ${typeof what} cannot be read: give an error as it was thrown`;
    throw new LandlockError("ERR_LANDLOCK_INVALID_RULE", message, { cause });
  }
}

/** Recognizes each kind of subject by a property that only it has. */
function explanationOf(
  what: object,
  layers: ExplainOptions["layers"],
  hint: { path?: string; port?: number; access?: readonly string[] },
): Explanation {
  const started = startedAs(what);
  const known = knownLayers(layers, started);
  // Errors of `$` are children too.
  const ended = "exitCode" in what || ("status" in what && !("message" in what));
  if (ended) return ofChild(what as Ended, known, started);
  if (!("message" in what)) {
    if ("port" in what) return ofPort(parse("portQuestion", what, "explain()"), known);
    if ("path" in what) return ofPath(parse("pathQuestion", what, "explain()"), known);
    throw nothing(what);
  }
  const failures = failuresOf(what, hint);
  const [failure] = failures as [Failure];
  const operation = failure.syscall || failure.code || "error";
  const subject = { operation, code: failure.code, error: what };
  const launch = started && failure.syscall === "";
  const found = launch
    ? [launching]
    : failures.flatMap((one) => hypothesesOf(one, machineFiles, hint.access) ?? []);
  const all = found.map((hypotheses) => ({
    hypotheses,
    answer: judge(hypotheses, known, subject),
  }));
  const denied = all.filter(({ answer }) => answer.cause === "landlock");
  if (denied.length > 1) {
    const several = denied.map(({ hypotheses, answer }) =>
      // No preset may grant what is not advised by itself.
      answer.fixes.length > 0 ? hypotheses : withoutPresets(hypotheses),
    );
    return judge(mergeHypotheses(several), known, subject);
  }
  const [best] = [...denied, ...all.filter(({ answer }) => answer.cause !== "unknown"), ...all];
  return best?.answer ?? unread(failure, subject);
}

function withoutPresets(hypotheses: Hypotheses): Hypotheses {
  return { ...hypotheses, attempts: hypotheses.attempts.map(({ preset: _, ...rest }) => rest) };
}

/**
 * The explanation for an error that names no access. Only some errnos prove that none was denied.
 */
function unread(failure: Failure, subject: Parameters<typeof baseOf>[1]): Explanation {
  const { code, syscall, message, path, port } = failure;
  const base = baseOf({ attempts: [], path, port }, subject);
  const proof = isErrno(code) && !/^(EACCES|EXDEV)$/.test(code) && (code !== "EPERM" || syscall);
  if (proof) return plainly(base, "other", `This has nothing to do with Landlock: ${message}`);
  const unclear = `This error does not tell which access failed: ${message}`;
  return plainly({ ...base, certain: false }, "unknown", unclear);
}

function knownLayers(layers: ExplainOptions["layers"], started: Started | undefined): Known {
  if (layers) return plannedLayers(layers.map((layer) => ("plan" in layer ? layer.plan : layer)));
  return recordedLayers(started ? [...started.inherited, started.layer] : enforcedLayers());
}

function ofChild(child: Ended, known: Known, started: Started | undefined): Explanation {
  const end = endOf(child);
  if (end === undefined) {
    const message = "explain(): this child has not ended: await child.exited first";
    throw new LandlockError("ERR_LANDLOCK_INVALID_RULE", message);
  }
  return judge(childHypotheses(child, end, started), known, { operation: "spawn", code: end });
}

function ofPath(
  { path: given, access }: { path: PathLike; access: FsRight | FsRight[] },
  known: Known,
): Explanation {
  const path = toPath(given);
  const rights = [access].flat();
  const attempts = [{ operations: [{ kind: "access", path, access: rights }] as const }];
  return judge({ attempts, path }, known, { operation: rights.join(", ") });
}

function ofPort(
  { port, access }: { port: number; access: NetRight | NetRight[] },
  known: Known,
): Explanation {
  const rights = [access].flat();
  const attempts = [{ operations: [{ kind: "port", port, access: rights }] as const }];
  return judge({ attempts, port }, known, { operation: rights.join(", ") });
}

function toPath(path: PathLike): string {
  return path instanceof URL ? Bun.fileURLToPath(path) : path;
}

function nothing(what: unknown): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    `explain(): ${Bun.inspect(what)} is nothing to explain: give an error, { path, access }, { port, access } or a child that has ended`,
  );
}

/** Implements `permissions.has()`. */
export function hasPermission(scope: PermissionScope, reference?: PathLike | number): boolean {
  const known = parse("permissionScope", scope, "permissions.has()");
  return isPermitted(known, reference, recordedLayers(enforcedLayers()));
}
