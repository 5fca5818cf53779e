/**
 * Problems that exist only because a command is watched, or because it doesn't inherit descriptors.
 */
import { readdirSync } from "node:fs";
import { linkTarget } from "../kernel/names.ts";
import type { Observation } from "./observation.ts";

/** Collects the problems of one run. */
export class Caveats {
  readonly #closed: ReadonlySet<number>;
  readonly #missed = new Set<number>();
  #isTracing = false;
  #isForged = false;

  /** @param passedOn Descriptors above 2 that the command gets */
  constructor(passedOn: readonly number[]) {
    this.#closed = new Set(openDescriptors().filter((fd) => fd > 2 && !passedOn.includes(fd)));
  }

  /** Records an observation. */
  add(one: Observation): void {
    if (one.kind === "gap" && one.reason === "tracing") this.#isTracing = true;
    if (one.kind === "tampering") this.#isForged = true;
    if (one.kind !== "attempt" || one.failed !== "ENOENT" || !("path" in one.operation)) return;
    const fd = Number(/^\/proc\/\d+\/(?:task\/\d+\/)?fd\/(\d+)$/.exec(one.operation.path)?.[1]);
    if (this.#closed.has(fd)) this.#missed.add(fd);
  }

  /** The problems, in sentences. */
  notes(): string[] {
    const fds = [...this.#missed];
    const [are, them] = fds.length > 1 ? ["were", "them"] : ["was", "it"];
    return [
      ...(fds.length > 0
        ? [
            `The command looked for descriptor ${fds.join(", ")}, which ${are} open but not passed on: add -fd ${fds.join(" ")} to pass ${them} on.`,
          ]
        : []),
      ...(this.#isForged
        ? [
            "The command opened strace's pipe or a process that traces it: the report may be forged.",
          ]
        : []),
      ...(this.#isTracing
        ? [
            "A traced process cannot be traced again, so debuggers and strace fail here: use them to start landlock-restrict instead.",
          ]
        : []),
    ];
  }
}

/** The open descriptors of this process, except Bun's internal ones. */
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
