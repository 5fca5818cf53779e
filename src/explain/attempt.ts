/** What a failed call may have tried. Plain data. */
import type { Operation } from "../model/operation.ts";

/** One way to read an error: if Landlock denies one of these operations, this was it. */
export interface Attempt {
  readonly operations: readonly Operation[];
  /** Presets that are the answer, as `"dns"`; default: the rules that the denials ask for. */
  readonly preset?: string | readonly string[];
  /** Whether those rules are an answer beside the preset; default false. */
  readonly rules?: boolean;
  /** What is needed besides, and no part of the preset. */
  readonly also?: readonly Operation[];
  /** Whether a denial leaves no doubt; default true. */
  readonly certain?: boolean;
}

/** What was tried, as far as it can be told. */
export interface Reading {
  /** Ways to read it, the likelier first. */
  readonly attempts: readonly Attempt[];
  readonly path?: string | undefined;
  readonly port?: number | undefined;
  /** What the error lacks, and how to say it. */
  readonly needs?: string;
  /** What is not there, as a sentence. */
  readonly missing?: string;
}

/** A port that stands for one that is not known: no rule is about it. */
export const unknownPort = -1;

/** Readings of several failures as one, of which all has to work. */
export function merged(readings: readonly Reading[]): Reading {
  const ways = readings.flatMap(({ attempts }) => attempts.slice(0, 1));
  const named = ways.filter(({ preset }) => preset !== undefined);
  const others = ways.filter(({ preset }) => preset === undefined);
  const also = [...ways.flatMap((way) => way.also ?? []), ...operationsOf(others)];
  const certain = ways.every((way) => way.certain !== false);
  const needs = readings.find((reading) => reading.needs !== undefined)?.needs;
  const rest = { path: readings[0]?.path, ...(needs === undefined ? {} : { needs }) };
  if (named.length === 0) return { attempts: [{ operations: also, certain }], ...rest };
  const preset = [...new Set(named.flatMap((way) => way.preset ?? []))];
  const operations = operationsOf(named);
  return { attempts: [{ operations, preset, also, certain }], ...rest };
}

function operationsOf(attempts: readonly Attempt[]): Operation[] {
  return attempts.flatMap(({ operations }) => operations);
}
