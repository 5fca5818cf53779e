/** The operations that a failed call may have tried, as plain data. */
import type { Operation } from "../model/operation.ts";

/** One hypothesis about an error: if Landlock denies one of these operations, this was it. */
export interface Attempt {
  readonly operations: readonly Operation[];
  /** Presets that would allow it, such as `"dns"`; default: the rules for the denials. */
  readonly preset?: string | readonly string[];
  /** Whether those rules would also do instead of the preset; default false. */
  readonly rules?: boolean;
  /** Further needs that the preset doesn't cover. */
  readonly also?: readonly Operation[];
  /** Whether a denial of these leaves no doubt; default true. */
  readonly certain?: boolean;
}

/** What an error suggests was tried. */
export interface Hypotheses {
  /** Hypotheses, the most likely first. */
  readonly attempts: readonly Attempt[];
  readonly path?: string | undefined;
  readonly port?: number | undefined;
  /** What the error doesn't tell, and how the caller can add it. */
  readonly needs?: string;
  /** What is missing, as a sentence. */
  readonly missing?: string;
}

/** Stands for an unknown port, so no rule matches it. */
export const unknownPort = -1;

/** Combines several failures into one, all of which must be allowed. */
export function mergeHypotheses(all: readonly Hypotheses[]): Hypotheses {
  const ways = all.flatMap(({ attempts }) => attempts.slice(0, 1));
  const named = ways.filter(({ preset }) => preset !== undefined);
  const others = ways.filter(({ preset }) => preset === undefined);
  const also = [...ways.flatMap((way) => way.also ?? []), ...operationsOf(others)];
  const certain = ways.every((way) => way.certain !== false);
  const needs = all.find((hypotheses) => hypotheses.needs !== undefined)?.needs;
  const rest = { path: all[0]?.path, ...(needs === undefined ? {} : { needs }) };
  if (named.length === 0) return { attempts: [{ operations: also, certain }], ...rest };
  const preset = [...new Set(named.flatMap((way) => way.preset ?? []))];
  const operations = operationsOf(named);
  return { attempts: [{ operations, preset, also, certain }], ...rest };
}

function operationsOf(attempts: readonly Attempt[]): Operation[] {
  return attempts.flatMap(({ operations }) => operations);
}
