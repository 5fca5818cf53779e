/** The schema of rules as plain data. */
import * as z from "zod/mini";
import type { FsRight, NetRight } from "../../kernel/abi.ts";
import {
  fsRights,
  is,
  listOf,
  netRights,
  object,
  once,
  onMissing,
  pathString,
  port,
} from "./parts.ts";

/** A valid rule. */
type PlainRule =
  | {
      kind: "fs";
      access: FsRight[];
      explicit: FsRight[];
      paths: string[];
      onFile: "narrow" | "fail";
      onMissing: "fail" | "skip" | "create";
      onDenial: "log" | "quiet";
      chosenBy?: string[];
      identities?: string[];
    }
  | { kind: "net"; access: NetRight[]; ports: number[]; onDenial: "log" | "quiet" }
  | { kind: "composite"; rules: PlainRule[] };

/** A rule made by a function such as `roDirs()`, or equal data. */
export const ruleSchema = once(() => {
  const onDenial = z.enum(["log", "quiet"], is("onDenial", 'use "log" or "quiet"'));

  const fsRule = object({
    kind: z.literal("fs"),
    access: fsRights,
    explicit: fsRights,
    paths: listOf(pathString),
    onFile: z.enum(["narrow", "fail"], is("onFile", 'use "narrow" or "fail"')),
    onMissing: onMissing("onMissing"),
    onDenial,
    chosenBy: z.optional(listOf(pathString)),
    identities: z.optional(listOf(z.string(is("an identity", "take it from a preset's rule")))),
  }).check(
    z.refine(
      (rule) => rule.explicit.every((right) => rule.access.includes(right)),
      is("an fs rule", "explicit must be part of access"),
    ),
    z.refine(
      ({ identities, paths }) => identities === undefined || identities.length === paths.length,
      is("an fs rule", "identities must have one entry for each path"),
    ),
  );
  const netRule = object({
    kind: z.literal("net"),
    access: netRights,
    ports: listOf(port),
    onDenial,
  });
  const compositeRule = object({
    kind: z.literal("composite"),
    get rules() {
      return listOf(rule);
    },
  });

  const rule: z.ZodMiniType<PlainRule> = z.discriminatedUnion(
    "kind",
    [fsRule, netRule, compositeRule],
    is("a rule", "make one with roDirs(), bindTcp() and the like"),
  ) as never;
  return rule;
});
