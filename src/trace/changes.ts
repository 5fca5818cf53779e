/**
 * Tracks names that the run itself changed. A trace is read after its calls were made, so a path
 * can only be resolved if nothing on its way has changed since.
 */
import { lstatSync } from "node:fs";
import type { Operation } from "../model/operation.ts";
import {
  fileName,
  inFolder,
  isWithin,
  knownLinkTarget,
  lastName,
  parentOf,
  knownRealPath,
} from "../kernel/names.ts";
import { linksMax } from "../kernel/walk.ts";
import type { Attempt } from "./observation.ts";

/** How the run changed a name. */
interface Change {
  /** Whether the trace showed a symbolic link with that name. */
  isLink: boolean;
  /** When it was last the source or target of a rename; 0 if never. */
  moved: number;
  /** When it last changed in any way. */
  last: number;
}

/** The paths of an operation, and when it was observed. */
export interface Use {
  readonly operation: Operation;
  /** Symbolic links that led to the operation's path. */
  readonly via?: readonly string[] | undefined;
  /** The value of `Changes.count` when it was observed. */
  readonly at: number;
}

/** Collects the changes that a run makes to names. */
export class Changes {
  readonly #changes = new Map<string, Change>();
  #count = 0;

  /** The number of changes so far. */
  get count(): number {
    return this.#count;
  }

  /** Records the changes of a call. A failed call changes nothing. */
  add({ operation, failed }: Attempt): void {
    if (failed !== undefined) return;
    const { kind } = operation;
    if (kind === "make" && operation.type === "symlink") this.#change(operation.path, true);
    else if (kind === "remove") this.#change(operation.path, false);
    else if (kind === "link") this.#move(operation.path, operation.to);
    else if (kind === "rename") {
      this.#move(operation.path, operation.to);
      if (operation.exchange) this.#move(operation.to, operation.path);
    }
  }

  /**
   * Whether the run influenced where a path leads: through a link that it made, or a later change
   * of a name.
   *
   * @param start When the run began, in milliseconds since 1970. Any younger link counts as the
   *   run's own, even if the trace doesn't show it.
   */
  madeWay({ operation, via = [], at }: Use, start: number): boolean {
    return wayOf(operation, via).some(({ entry, isLink, isLast }) => {
      if (isLink && changedAt(entry) >= start) return true;
      const change = this.#changes.get(entry);
      if (change === undefined) return false;
      return change.isLink || (isLast ? change.moved : change.last) > at;
    });
  }

  /** Whether a symbolic link on the way changed after the operation. */
  changedLinks({ operation, via = [], at }: Use): boolean {
    return wayOf(operation, via).some(({ entry, isLink }) => {
      const change = this.#changes.get(entry);
      return change !== undefined && (isLink || change.isLink) && change.last > at;
    });
  }

  #change(path: string, isLink: boolean): void {
    const last = ++this.#count;
    for (const entry of entriesFor(path)) {
      const known = this.#changes.get(entry) ?? { isLink: false, moved: 0 };
      this.#changes.set(entry, { ...known, isLink: known.isLink || isLink, last });
    }
  }

  /** A rename also moves the links inside a directory. */
  #move(path: string, to: string): void {
    const last = ++this.#count;
    const [from, now] = [entriesFor(path), entriesFor(to)];
    const carried = [...this.#changes].flatMap(([entry, { isLink }]): [string, boolean][] => {
      const old = from.find((one) => isWithin(entry, one));
      if (old === undefined) return [];
      return now.map((one) => [one + entry.slice(old.length), isLink]);
    });
    const others = [...from, ...now].map((entry): [string, boolean] => [entry, false]);
    for (const [entry, isLink] of [...others, ...carried]) {
      const known = this.#changes.get(entry);
      this.#changes.set(entry, { isLink: isLink || known?.isLink === true, moved: last, last });
    }
  }
}

/** The names of a directory entry: as given, and with resolved parent directories. */
function entriesFor(path: string): readonly string[] {
  const given = path.replace(/(?<=.)\/+$/s, "");
  const parent = knownRealPath(parentOf(given));
  return parent === undefined ? [given] : [...new Set([given, inFolder(parent, lastName(given))])];
}

interface Step {
  /** A name on the way, whose parent directory contains no links. */
  readonly entry: string;
  readonly isLink: boolean;
  readonly isLast: boolean;
}

function wayOf(operation: Operation, via: readonly string[]): Step[] {
  return [...pathsOf(operation), ...via].flatMap((path) => [...steps(path)]);
}

/** The paths that an operation follows to their end. Changing a name only follows its directory. */
function pathsOf(operation: Operation): readonly string[] {
  if (!("path" in operation)) return [];
  const { kind, path } = operation;
  if (kind === "make" || kind === "remove") return [parentOf(path)];
  if (kind === "rename") return [parentOf(path), parentOf(operation.to)];
  return kind === "link" ? [path, parentOf(operation.to)] : [path];
}

/** The names that a path leads through now. */
function* steps(path: string): Generator<Step> {
  let at = "/";
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  for (let links = 0; names.length > 0;) {
    const name = names.shift()!;
    if (name === "..") {
      at = parentOf(at);
      continue;
    }
    const entry = inFolder(at, name);
    const target = targetOf(entry);
    yield { entry, isLink: target !== undefined, isLast: names.length === 0 };
    if (target === undefined) at = entry;
    else {
      if (++links > linksMax) return;
      if (target.startsWith("/")) at = "/";
      names.unshift(...target.split("/").filter((one) => one !== "" && one !== "."));
    }
  }
}

/** Skips links of the kernel, which depend on the process that follows them. */
function targetOf(path: string): string | undefined {
  return /^\/(proc|sys)\//.test(path) ? undefined : knownLinkTarget(path);
}

/** The change time in milliseconds since 1970. No program can set it back. */
function changedAt(path: string): number {
  try {
    return lstatSync(fileName(path)).ctimeMs;
  } catch {
    return 0;
  }
}
