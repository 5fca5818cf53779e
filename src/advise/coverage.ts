/** What rules already grant: those of presets, and those of an extended policy. */
import type { FsRight, NetRight } from "../kernel/abi.ts";
import { knownRealPath, parentOf } from "../kernel/names.ts";
import type { Rule } from "../sandbox/rules.ts";

/** Rights by path and by port. */
export class Coverage {
  readonly #paths = new Map<string, Set<FsRight>>();
  readonly #ports = new Set<string>();

  /** Adds what a rule grants on the current files. */
  add(rule: Rule): void {
    if (rule.kind === "composite") for (const one of rule.rules) this.add(one);
    else if (rule.kind === "net") {
      for (const right of rule.access)
        for (const port of rule.ports) this.#ports.add(`${right} ${port}`);
    } else {
      for (const path of rule.paths) {
        const real = realOf(path);
        const known = this.#paths.get(real) ?? new Set();
        for (const right of rule.access) known.add(right);
        this.#paths.set(real, known);
      }
    }
  }

  /** All rights on a path, from rules for it and for directories above it. */
  rightsOn(path: string): ReadonlySet<FsRight> {
    const all = new Set(this.#paths.get(path));
    for (let next = path; next !== "/";) {
      next = parentOf(next);
      for (const right of this.#paths.get(next) ?? []) all.add(right);
    }
    return all;
  }

  /** The paths on which a right is granted. */
  pathsWith(right: FsRight): string[] {
    return [...this.#paths].flatMap(([path, rights]) => (rights.has(right) ? [path] : []));
  }

  /** Whether a right is granted on a port. */
  hasPort(right: NetRight, port: number): boolean {
    return this.#ports.has(`${right} ${port}`);
  }

  /** Whether this grants all that another coverage grants. */
  includes(other: Coverage): boolean {
    for (const [path, rights] of other.#paths) {
      if (!rights.isSubsetOf(this.rightsOn(path))) return false;
    }
    return [...other.#ports].every((port) => this.#ports.has(port));
  }
}

function realOf(path: string): string {
  // `/proc/self` in a rule means the process that loads the policy.
  if (/^\/proc\/self(\/|$)/.test(path)) return path;
  return knownRealPath(path) ?? path;
}
