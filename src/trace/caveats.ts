/** What goes wrong because a command is watched, or because descriptors are not handed on to it. */
import { readdirSync } from "node:fs";
import { linkTarget } from "../kernel/names.ts";
import type { Observation } from "./observation.ts";

/** Collects it, over one run. */
export class Caveats {
  readonly #closed: ReadonlySet<number>;
  readonly #missed = new Set<number>();
  #isTracing = false;
  #isForged = false;

  /** @param passedOn Descriptors that the command gets besides 0, 1 and 2 */
  constructor(passedOn: readonly number[]) {
    this.#closed = new Set(openDescriptors().filter((fd) => fd > 2 && !passedOn.includes(fd)));
  }

  /** Takes an observation. */
  add(one: Observation): void {
    if (one.kind === "gap" && one.reason === "tracing") this.#isTracing = true;
    if (one.kind === "tampering") this.#isForged = true;
    if (one.kind !== "attempt" || one.failed !== "ENOENT" || !("path" in one.operation)) return;
    const fd = Number(/^\/proc\/\d+\/(?:task\/\d+\/)?fd\/(\d+)$/.exec(one.operation.path)?.[1]);
    if (this.#closed.has(fd)) this.#missed.add(fd);
  }

  /** What there is to know, in sentences. */
  notes(): string[] {
    const fds = [...this.#missed];
    const [are, them] = fds.length > 1 ? ["were", "them"] : ["was", "it"];
    return [
      ...(fds.length > 0
        ? [
            `The command looked for descriptor ${fds.join(", ")}, which ${are} open and not handed on: add -fd ${fds.join(" ")} to hand ${them} on.`,
          ]
        : []),
      ...(this.#isForged
        ? [
            "The command opened what strace reports through, or a process that traces it: the report may be forged.",
          ]
        : []),
      ...(this.#isTracing
        ? [
            "A process that is traced cannot be traced again, so debuggers and strace fail in here: run them around landlock-restrict.",
          ]
        : []),
    ];
  }
}

/** The descriptors of this process, but for what Bun opened for itself. */
function openDescriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd")
      .map(Number)
      .filter((fd) => isOpen(fd));
  } catch {
    return [];
  }
}

function isOpen(fd: number): boolean {
  try {
    return !linkTarget(`/proc/self/fd/${fd}`).startsWith("anon_inode:");
  } catch {
    return false;
  }
}
