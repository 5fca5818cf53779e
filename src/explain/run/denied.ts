/** Which failures of a program are Landlock's, and which ones would have come without it. */
import { evaluate, type Denial } from "../../model/model.ts";
import type { Operation } from "../../model/operation.ts";
import type { Files } from "../../model/place.ts";
import type { Sandbox } from "../remedy.ts";
import type { Use } from "../../trace/changes.ts";
import { isOfOutside } from "./outside.ts";
import { stepsOf } from "./steps.ts";

/** Something that a program tried, and that failed as Landlock makes it fail. */
interface Failure {
  readonly operation: Operation;
  /** `"EACCES"`, `"EPERM"` or `"EXDEV"`. */
  readonly errno: string;
  /** The program's name, as `"cat"`. */
  readonly program: string;
  /** Whether the program is in a sandbox of its own too, inside this one. */
  readonly nested: boolean;
  /** Whether the program may have become another user, whose permissions cannot be asked. */
  readonly isOther?: true;
}

/** A failure, and how often it came. */
export interface Counted extends Failure {
  readonly times: number;
}

/** A failure that this sandbox did not cause. */
export interface OtherFailure extends Counted {
  /**
   * `"permission"`: ordinary permissions of files do not allow it; `"nested"`: most likely the
   * program's own sandbox; `"process"`: it is about a process outside, which no rule opens;
   * `"changed"`: the run changed where its path leads, so that it cannot be judged; `"unknown"`: the
   * kernel's reasons, or a sandbox around this one.
   */
  readonly cause: "permission" | "nested" | "process" | "changed" | "unknown";
}

/** A failure that is Landlock's. */
export interface Denied extends Counted {
  /** What is missing, in the order in which the kernel asks. */
  readonly denials: readonly Denial[];
}

/** All failures of a run, by whose they are. */
export interface Failures {
  readonly denied: readonly Denied[];
  readonly others: readonly OtherFailure[];
}

/** Judges failures, and counts those that are the same. */
interface FailureLog {
  /**
   * Judges it now: its files may be gone later.
   *
   * @param use Of its paths
   */
  add(failure: Failure, use?: Omit<Use, "operation">): void;
  all(): Failures;
}

/**
 * Collects the failures of a run.
 *
 * @param sandbox What the program is in
 * @param permitted Whether ordinary permissions allow an operation: the kernel asks them first
 * @param isChanged Whether the run changed where the path of an operation leads; asked in the end
 */
export function failureLog(
  sandbox: Sandbox,
  permitted: (operation: Operation) => boolean,
  isChanged: (use: Use) => boolean = () => false,
): FailureLog {
  const known = new Map<string, Denied>();
  const uses = new Map<string, Use>();
  return {
    add(failure, use = { at: 0 }) {
      const key = JSON.stringify(failure);
      const before = known.get(key);
      const denials = before?.denials ?? judge(failure, sandbox, permitted);
      known.set(key, { ...failure, denials, times: (before?.times ?? 0) + 1 });
      // The first one: changes after it are changes for all.
      if (!before) uses.set(key, { operation: failure.operation, ...use });
    },
    all() {
      const denied: Denied[] = [];
      const others: OtherFailure[] = [];
      for (const [key, one] of known) {
        const { denials, ...failure } = one;
        if (isChanged(uses.get(key)!)) others.push({ ...failure, cause: "changed" });
        else if (denials.length > 0) denied.push(one);
        else others.push({ ...failure, cause: causeOf(failure, permitted) });
      }
      return { denied, others };
    },
  };
}

function causeOf(
  { operation, nested, isOther }: Failure,
  permitted: (operation: Operation) => boolean,
): OtherFailure["cause"] {
  if ("path" in operation && isOfOutside(operation.path)) return "process";
  if (!isOther && !permitted(operation)) return "permission";
  return nested ? "nested" : "unknown";
}

/** What Landlock denied; nothing where the failure is not its own. */
function judge(
  { operation, errno, isOther }: Failure,
  sandbox: Sandbox,
  permitted: (operation: Operation) => boolean,
): readonly Denial[] {
  const { layers, kernel } = sandbox;
  for (const files of possibleFiles(operation, sandbox.files)) {
    const verdicts = stepsOf(operation).map((step) => evaluate(step, layers, files, kernel));
    const denials = verdicts.flatMap((verdict) => (verdict.allowed ? [] : verdict.denials));
    const first = verdicts.find((verdict) => !verdict.allowed);
    if (first?.errno === errno && (isOther || permitted(operation))) return denials;
  }
  return [];
}

/**
 * The files as they may have been: what could not be moved may be gone by now, but it was there,
 * and it was a file or a directory.
 */
function possibleFiles(operation: Operation, files: Files): readonly Files[] {
  if (operation.kind !== "rename" && operation.kind !== "link") return [files];
  const { path: gone } = operation;
  const place = files.find(gone, false);
  if (place.file !== undefined || place.parents.length === 0) return [files];
  return (["regular", "directory"] as const).map((type) => {
    const file = { id: "gone", type, path: place.path, mounted: false };
    const then = { ...place, file };
    return { find: (path, follow) => (path === gone ? then : files.find(path, follow)) };
  });
}
