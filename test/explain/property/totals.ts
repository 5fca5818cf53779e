/** Counts the outcomes of a run. */
import { runWorld } from "./run-world.ts";
import { shrink } from "./shrink.ts";
import type { Outcome, Privileges, Report, Trial, World } from "./world.ts";

/** Counts by kind of operation. */
export interface Row {
  allowed: number;
  denied: number;
  unasked: number;
  readonly errnos: Map<string, number>;
}

/** A trial whose outcome differs from the model's. */
export interface Mismatch {
  /** The seed of its world; undefined for a given world. */
  readonly seed: number | undefined;
  readonly index: number;
  readonly world: World;
  readonly trial: Trial;
  readonly outcome: Outcome;
}

/** The totals of a run. */
export class Totals {
  worlds = 0;
  layers = 0;
  allowed = 0;
  denied = 0;
  /** The kernel refused before it asked Landlock. */
  unasked = 0;
  readonly rows = new Map<string, Row>();
  readonly caught = new Map<string, number>();
  readonly mismatches: Mismatch[] = [];

  get operations(): number {
    return this.allowed + this.denied + this.unasked;
  }

  /** How many operations Landlock denied with this errno. */
  deniedWith(errno: string): number {
    return [...this.rows.values()].reduce((sum, { errnos }) => sum + (errnos.get(errno) ?? 0), 0);
  }

  /** Adds the outcomes of one world. */
  add(world: World, { outcomes, caught, layers }: Report, seed?: number): void {
    this.worlds++;
    this.layers += layers;
    for (const [name, count] of Object.entries(caught)) {
      this.caught.set(name, (this.caught.get(name) ?? 0) + count);
    }
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome === null) continue;
      this.#count(outcome);
      if (outcome.expected === outcome.actual) continue;
      this.mismatches.push({ seed, index, world, trial: world.trials[index]!, outcome });
    }
  }

  #count({ kind, verdict, actual }: Outcome): void {
    const row = this.rows.get(kind) ?? { allowed: 0, denied: 0, unasked: 0, errnos: new Map() };
    this.rows.set(kind, row);
    this[verdict]++;
    row[verdict]++;
    if (verdict === "denied") row.errnos.set(actual, (row.errnos.get(actual) ?? 0) + 1);
  }

  /** The totals in one line. */
  summary(): string {
    return (
      `${this.operations} operations in ${this.worlds} worlds under ${this.layers} layers: ` +
      `${this.allowed} allowed, ${this.denied} denied, ${this.unasked} failed before Landlock ` +
      `was asked; ${this.mismatches.length} mismatches`
    );
  }

  /** The lowest count of allowed or denied trials over all kinds, and the kinds never denied. */
  coverage(): string {
    const rows = [...this.rows];
    const never = rows.filter(([, { denied }]) => denied === 0).map(([kind]) => kind);
    const counts = rows.flatMap(([, { allowed, denied }]) => (denied > 0 ? [allowed, denied] : []));
    return (
      `${counts.length / 2} kinds of operations were each allowed and denied at least ` +
      `${Math.min(...counts)} times; never denied: ${never.sort().join(", ") || "none"}`
    );
  }

  /** For each kind of operation, how often it was allowed and denied, by errno. */
  table(): string {
    const cells = [...this.rows]
      .sort()
      .map(([kind, { allowed, denied, unasked, errnos }]) => [
        kind,
        `${allowed}`,
        `${denied}`,
        `${unasked}`,
        [...errnos].map(([errno, count]) => `${errno} ${count}`).join(", "),
      ]);
    const lines = [["operation", "allowed", "denied", "unasked", "denied with"], ...cells];
    const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
    return lines
      .map((line) =>
        line
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join("  ")
          .trimEnd(),
      )
      .join("\n");
  }
}

/** The shrunken failure as text, with a command that repeats it. */
export async function explain(
  { seed, index, world, outcome }: Mismatch,
  privileges: Privileges,
  timeoutMs: number,
): Promise<string> {
  const settings = { timeoutMs, wrong: false };
  const fails = async (smaller: typeof world) => {
    const { outcomes } = await runWorld(smaller, privileges, settings);
    return outcomes.some((one) => one && one.expected !== one.actual && one.kind === outcome.kind);
  };
  const cut = { ...world, trials: world.trials.slice(0, index + 1) };
  const small = await shrink((await fails(cut)) ? cut : world, fails);
  const { outcomes } = await runWorld(small, privileges, settings);
  return [
    `The kernel and the model differ, seed ${seed}, operation ${index}: ${JSON.stringify(outcome)}`,
    `shrunk to ${JSON.stringify(outcomes)}`,
    `bun test/explain/property/run.ts '${JSON.stringify(small)}'`,
  ].join("\n");
}

/** The name of a trial's kind, as in tables. */
export function kindOf({ operation, how }: Trial): string {
  switch (operation.kind) {
    case "open": {
      if (operation.unnamed) return "open O_TMPFILE";
      if (operation.create) return "open O_CREAT";
      const access = `${operation.read ? "r" : ""}${operation.write ? "w" : ""}`;
      return `open ${access}${operation.truncate ? " O_TRUNC" : ""}`;
    }
    case "make":
      return `make ${operation.type}${how === "bind" ? " by bind" : ""}`;
    case "remove":
      return operation.directory ? "rmdir" : "unlink";
    case "rename":
      return operation.exchange ? "exchange" : "rename";
    case "port": {
      const name = operation.access.join();
      if (name !== "connect_send_udp") return name;
      return `${how === "send" ? "send" : "connect"} udp${operation.unbound ? " unbound" : ""}`;
    }
    case "scope":
      return operation.scope;
    default:
      return operation.kind;
  }
}
