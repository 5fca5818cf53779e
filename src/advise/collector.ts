/** Collects the observations of a run. */
import type { Attempt, Observation } from "../trace/observation.ts";
import { Changes, type Use } from "../trace/changes.ts";
import { addTo, learnNames, noNeeds, Reader, type Around, type Needs } from "./needs.ts";
import type { Places } from "./places.ts";

/** Collects the observations of a run, each operation only once. */
export class Collector {
  readonly #attempts = new Map<string, Attempt & Use>();
  readonly #changes = new Changes();
  readonly #barred = new Set<string>();
  #forger: string | undefined;
  readonly #processes: number[] = [];
  readonly #unseen = new Set<string>();
  readonly #bound = { tcp: new Set<number>(), udp: new Set<number>() };
  readonly #picked = { tcp: new Set<number>(), udp: new Set<number>() };
  #seen = 0;

  /** The number of observed operations. */
  get seen(): number {
    return this.#seen;
  }

  /** The program that accessed the trace, so that it may be forged. */
  get forger(): string | undefined {
    return this.#forger;
  }

  /** Adds an observation. */
  add(one: Observation): void {
    if (one.kind === "tampering") this.#forger ??= one.program ?? "the command";
    if (one.kind === "barred" && one.failed === undefined) this.#barred.add(one.call);
    if (one.kind === "gap" && one.reason !== "tracing")
      this.#unseen.add(one.program ?? "the command");
    // A port that was reported before any program asked for it, so the kernel picked it.
    if (one.kind === "socket" && one.port > 0 && !this.#bound[one.protocol].has(one.port)) {
      this.#picked[one.protocol].add(one.port);
    }
    if (one.kind !== "attempt") return;
    this.#seen++;
    if (!this.#processes.includes(one.process)) this.#processes.push(one.process);
    this.#changes.add(one);
    if (!counts(one)) return;
    if (one.operation.kind === "port") {
      const { access, port } = one.operation;
      if (access.includes("bind_tcp")) this.#bound.tcp.add(port);
      if (access.includes("bind_udp")) this.#bound.udp.add(port);
    }
    const operation = JSON.stringify([one.operation, one.found]);
    if (!this.#attempts.has(operation)) {
      this.#attempts.set(operation, { ...one, at: this.#changes.count });
    }
  }

  /**
   * What the whole run needs. Call it after the run.
   *
   * @param around Its secrets learn the targets of links with secret names
   */
  needs(places: Places, around: Around): Needs {
    const attempts = [...this.#attempts.values()];
    learnNames(attempts, places, around);
    const needs: Needs = {
      ...noNeeds(),
      picked: this.#picked,
      unseen: this.#unseen,
      barred: this.#barred,
    };
    const reader = new Reader(needs, places, this.#processes, around);
    for (const attempt of attempts) {
      // For opened files, the kernel reported where they are.
      if (attempt.found !== undefined || !this.#changes.changedLinks(attempt)) reader.read(attempt);
      else this.#withhold(attempt, needs, places, around);
    }
    return needs;
  }

  #withhold(attempt: Attempt, { changed, secrets }: Needs, places: Places, around: Around): void {
    const { operation } = attempt;
    if (!("path" in operation)) return;
    const aside = noNeeds();
    new Reader(aside, places, this.#processes, around).read(attempt);
    const rights = [...aside.paths.values()].flatMap((some) => [...some]);
    const executes = aside.programs.size > 0 ? (["execute", "read_file"] as const) : [];
    for (const right of [...rights, ...executes]) addTo(changed, operation.path, right);
    for (const [name, some] of aside.secrets) for (const right of some) addTo(secrets, name, right);
  }
}

/**
 * Whether an operation needs a right. On a denied or missing file it doesn't, but a connection
 * needs its right even if it fails later.
 */
function counts({ operation, failed }: Attempt): boolean {
  if (failed === undefined) return true;
  const asked = ["port", "scope", "resolve_unix"].includes(operation.kind);
  return asked && !["EACCES", "EPERM", "ENOENT", "EINVAL", "ENOTSOCK"].includes(failed);
}
