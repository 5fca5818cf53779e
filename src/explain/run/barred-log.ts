/** Collects calls that no rule can allow. */
import type { Bar, Barred } from "../../trace/observation.ts";

/** A call, and how often it was denied. */
export interface CountedBar {
  readonly operation: { readonly kind: Bar; readonly call: string; readonly path?: string };
  readonly errno: "EPERM";
  readonly program: string;
  readonly times: number;
}

const notes: Readonly<Record<Bar, string>> = {
  mount:
    "If Landlock restricts paths, it denies all changes of mounts, and no rule can allow them: make them before, outside of landlock-restrict.",
  trace:
    "Landlock denies tracing processes outside the sandbox, and no rule can allow it: use the tracer to start landlock-restrict instead.",
};

/** Collects such calls. */
export class BarredLog {
  readonly #restrictsPaths: boolean;
  readonly #known = new Map<string, CountedBar>();

  /**
   * @param restrictsPaths Whether the sandbox restricts any path; otherwise it doesn't deny mounts
   */
  constructor(restrictsPaths: boolean) {
    this.#restrictsPaths = restrictsPaths;
  }

  /** Adds a call and the name of its program. */
  add({ call, bar, path, failed }: Barred, program: string): void {
    if (failed !== "EPERM" || (bar === "mount" && !this.#restrictsPaths)) return;
    const operation = { kind: bar, call, ...(path === undefined ? {} : { path }) };
    const key = JSON.stringify([operation, program]);
    const times = (this.#known.get(key)?.times ?? 0) + 1;
    this.#known.set(key, { operation, errno: "EPERM", program, times });
  }

  /** All calls in order. */
  all(): readonly CountedBar[] {
    return [...this.#known.values()];
  }

  /** Notes about the calls. */
  notes(): readonly string[] {
    return [...new Set(this.all().map(({ operation }) => notes[operation.kind]))];
  }
}
