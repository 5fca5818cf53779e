/** Decides which failures of a program Landlock caused. */
import { evaluate, type Denial } from "../../model/model.ts";
import type { Operation } from "../../model/operation.ts";
import type { Files } from "../../model/place.ts";
import type { Sandbox } from "../remedy.ts";
import type { Use } from "../../trace/changes.ts";
import { isOfOutside } from "./outside.ts";
import { stepsOf } from "./steps.ts";

/** An operation that failed with an errno that Landlock uses. */
interface Failure {
  readonly operation: Operation;
  /** `"EACCES"`, `"EPERM"` or `"EXDEV"`. */
  readonly errno: string;
  /** The program's name, such as `"cat"`. */
  readonly program: string;
  /** Whether the program is also in another sandbox inside this one. */
  readonly nested: boolean;
  /** Whether the program may have changed its user, whose permissions are then unknown. */
  readonly isOther?: true;
}

/** A failure, and how often it happened. */
export interface Counted extends Failure {
  readonly times: number;
}

/** A failure that this sandbox did not cause. */
export interface OtherFailure extends Counted {
  /**
   * `"permission"`: ordinary file permissions deny it. `"nested"`: probably the program's own
   * sandbox does. `"process"`: it is about a process outside, which no rule grants. `"changed"`:
   * the run changed where its path leads, so it can't be judged. `"unknown"`: the kernel has other
   * reasons, or a sandbox around this one does.
   */
  readonly cause: "permission" | "nested" | "process" | "changed" | "unknown";
}

/** A failure that Landlock caused. */
export interface Denied extends Counted {
  /** The missing rights, in the order in which the kernel checks them. */
  readonly denials: readonly Denial[];
}

/** All failures of a run, by cause. */
export interface Failures {
  readonly denied: readonly Denied[];
  readonly others: readonly OtherFailure[];
}

/** Judges failures, and counts equal ones. */
interface FailureLog {
  /**
   * Judges a failure immediately, because its files may be gone later.
   *
   * @param use When and through which links its paths were used
   */
  add(failure: Failure, use?: Omit<Use, "operation">): void;
  all(): Failures;
}

/**
 * Collects the failures of a run.
 *
 * @param sandbox The program's sandbox
 * @param permitted Whether ordinary permissions allow an operation, since the kernel checks them
 *   first
 * @param isChanged Whether the run changed where an operation's path leads; called at the end
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
      // The first use decides, since a later change affects all uses.
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

/** What Landlock denied; empty if it did not cause the failure. */
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
 * The files as they are and, if that explains nothing, as they may have been. A file that could not
 * be moved existed then, even if the run removes it before or while it is looked up here.
 */
function* possibleFiles(operation: Operation, files: Files): Generator<Files> {
  yield files;
  if (operation.kind !== "rename" && operation.kind !== "link") return;
  const { path: gone } = operation;
  const place = files.find(gone, false);
  if (place.file !== undefined || place.parents.length === 0) return;
  for (const type of ["regular", "directory"] as const) {
    const file = { id: "gone", type, path: place.path, mounted: false };
    const then = { ...place, file };
    yield { find: (path, follow) => (path === gone ? then : files.find(path, follow)) };
  }
}
