/**
 * Why something was denied, and which rule would allow it. The published bundle evaluates this file
 * and what it needs when one of these functions is called: see `src/build/lazy.ts`.
 */
import { channel } from "node:diagnostics_channel";
import { enforcedLayers, startedAs, type Started } from "../sandbox/layers.ts";
import { LandlockError } from "../errors/errors.ts";
import { childReading, endOf, type Ended } from "./child.ts";
import { merged } from "./attempt.ts";
import type { Explanation } from "./explanation.ts";
import { failuresOf, isErrno, type Failure } from "./failure.ts";
import { machineFiles } from "../model/files.ts";
import { baseOf, judge, plainly } from "./judge.ts";
import { recordedLayers, plannedLayers, type Known, type LayerLike } from "./known.ts";
import { isPermitted, type PermissionScope } from "./question.ts";
import { launching, readingOf } from "./reading.ts";
import type { FsRight, NetRight } from "../kernel/abi.ts";
import { parse } from "../validate/parse.ts";
import type { PathLike } from "../validate/values.ts";

/** Where the layers denied something, this `node:diagnostics_channel` gets the `Explanation`. */
const channelName = "bun-landlock:denied";

/** What to judge by, and what an error does not say. */
export interface ExplainOptions {
  /**
   * Layers to judge by, the first one first; default: those that this thread enforced, and for a
   * child those it was started in. A policy can be asked before it is enforced, and a Worker can
   * be given the `Report` of the thread that restricted the process.
   */
  readonly layers?: readonly (LayerLike | { readonly plan: LayerLike })[];
  /** Rights that were wanted: an `open` that was not synchronous does not tell. */
  readonly access?: FsRight | readonly FsRight[];
  /** The path that it was about: of SQLite's errors and those of Workers, which name none. */
  readonly path?: PathLike;
  /** The port that it was about: of errors of `Bun.connect()`, which name none. */
  readonly port?: number;
}

/**
 * Says why something failed: Landlock, ordinary permissions, or something that is not there. For
 * Landlock it names the layer, the right, the file or port, and the shortest rule that would allow
 * it, as code, as flags of `landlock-restrict` and as a policy's lines. Disguised denials are
 * recognised: `EXDEV`, `EAI_AGAIN`, a certificate that cannot be verified, a module that is not
 * found though it is there, SQLite's `SQLITE_CANTOPEN`, a Bun that aborts.
 *
 * Errors hardly say what was tried, so this works it out: from the error, the rules of the layers
 * and the files as they are now, with a model of Landlock's decisions. It opens nothing but what it
 * looks for a preset's sake, and changes nothing. What it finds of the layers in force is published
 * on the `node:diagnostics_channel` named `bun-landlock:denied`.
 *
 * ```ts
 * try {
 *   await Bun.file("/etc/resolv.conf").text();
 * } catch (error) {
 *   console.error(explain(error).message);
 * }
 * ```
 *
 * @param what An error; the event of a failed Worker; a child that has ended, of
 *   `ruleset.spawn()`, `Bun.spawn()` or `node:child_process`; or a question: `{ path, access }` or
 *   `{ port, access }`, where `access` is a right of the kernel, as `"read_file"`, or a list
 * @param options What to judge by, and what the error does not say
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where there is nothing to explain, a child
 *   still runs, or an option is not valid
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

/** Whoever catches an error and asks about it does not expect another one. */
function readable<Result>(what: object, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof LandlockError) throw cause;
    const message = `explain(): this ${typeof what} cannot be read: give an error as it was thrown`;
    throw new LandlockError("ERR_LANDLOCK_INVALID_RULE", message, { cause });
  }
}

/** Each kind of thing to explain is known by what only it has. */
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
  const readings = launch
    ? [launching]
    : failures.flatMap((one) => readingOf(one, machineFiles, hint.access) ?? []);
  const all = readings.map((reading) => ({ reading, answer: judge(reading, known, subject) }));
  const denied = all.filter(({ answer }) => answer.cause === "landlock");
  if (denied.length > 1) return judge(merged(denied.map(({ reading }) => reading)), known, subject);
  const [best] = [...denied, ...all.filter(({ answer }) => answer.cause !== "unknown"), ...all];
  return best?.answer ?? unread(failure, subject);
}

/** An error that tells of no access. Only some errnos prove that there was none to deny. */
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
  return judge(childReading(child, end, started), known, { operation: "spawn", code: end });
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

/** `permissions.has()`. */
export function hasPermission(scope: PermissionScope, reference?: PathLike | number): boolean {
  const known = parse("permissionScope", scope, "permissions.has()");
  return isPermitted(known, reference, recordedLayers(enforcedLayers()));
}
