/** The zod schemas of all external values. */
import * as z from "zod/mini";
import { accessFs, accessNet, logFlags, newestAbi, scopes } from "../kernel/abi.ts";
import { kernelStates } from "../kernel/probe.ts";
import {
  abi,
  bestEffortOptions,
  distinct,
  fsRights,
  is,
  listOf,
  netRights,
  object,
  oneOf,
  pathString,
  port,
  scopeNames,
  shown,
} from "./schemas/parts.ts";
import { explainSchemas } from "./schemas/explain.ts";
import { landlockConfig } from "./schemas/landlockconfig.ts";
import { policySchemas } from "./schemas/policy.ts";
import { ruleSchema } from "./schemas/rule.ts";
import { isAbi, isFileUrl, isPathString, type PathLike } from "./values.ts";

const isPath = is("a path", "give a non-empty string without NUL, or a file: URL");
const isOnePath = is("a path", "give paths one by one, such as ...list");
const path = z.custom<PathLike>((value) => isPathString(value) || isFileUrl(value), {
  error: (issue) => (Array.isArray(issue.input) ? isOnePath : isPath).error(issue),
});

function whole(what: string, least: number) {
  return z.custom<number>(
    (value) => Number.isInteger(value) && (value as number) >= least,
    is(what, `give an integer from ${least}`),
  );
}

const flag = z.optional(z.boolean(is("a setting", "use true or false")));

const schemas = {
  path: () => path,
  paths: () => listOf(path),
  ports: () => listOf(port),
  fsRights: () => fsRights,
  rule: ruleSchema,
  config: () =>
    object({
      fs: z.optional(fsRights),
      net: z.optional(netRights),
      scoped: z.optional(scopeNames),
    }),
  bestEffort: bestEffortOptions,
  rules: () => listOf(ruleSchema()),
  kernel: () =>
    z.object(
      {
        abi: whole("an ABI", 0),
        errata: whole("a mask of errata", 0),
        state: z.enum(kernelStates, is("a state", "use one that probe() returns")),
        missing: z.optional(distinct(oneOf([...accessFs, ...accessNet, ...scopes], "a right"))),
      },
      is("a kernel", "give { abi, errata, state }, as probe() returns"),
    ),
  configData: () =>
    object({
      abi,
      fs: fsRights,
      net: netRights,
      scoped: scopeNames,
      logging: distinct(oneOf(logFlags, "an audit log flag")),
      mode: z.enum(["strict", "best-effort"], is("a mode", 'use "strict" or "best-effort"')),
      atLeast: z.custom<number>(
        (value) => value === 0 || isAbi(value),
        is("a Landlock ABI", `give an integer from 0 to ${newestAbi}`),
      ),
      allowNone: flag,
    }),
  bunPreset: () => object({ children: flag }),
  dnsPreset: () => object({ ports: flag }),
  cwdPreset: () => object({ write: flag }),
  policy: () => policySchemas().policy,
  landlockConfig,
  ...explainSchemas(path),
  policyOptions: () => object({ base: z.optional(pathString) }),
  restrictSelf: () =>
    object({
      deadlineMs: z.optional(
        z.custom<number>(
          (value) =>
            Number.isInteger(value) && (value as number) > 0 && (value as number) <= 60_000,
          is("a deadline", "give milliseconds from 1 to 60000"),
        ),
      ),
    }),
};

/** The types of the values that have a schema, by name. */
export type Parsed = {
  [Name in keyof typeof schemas]: z.infer<ReturnType<(typeof schemas)[Name]>>;
};

/** The schemas that were used so far. */
const made: { [name: string]: z.core.$ZodType } = {};

/** Prefers an unknown key, which is often the misspelt name of a missing one. */
function leading(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue {
  return issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;
}

/** If a union's branch fails beyond its first check, that branch's message is more specific. */
function innermost(issue: z.core.$ZodIssue): Pick<z.core.$ZodIssue, "path" | "message"> {
  if (issue.code !== "invalid_union") return issue;
  const further = issue.errors
    .filter((issues) => issues.length > 0)
    .map(leading)
    .find(({ path, code }) => path.length > 0 || !/^invalid_(type|value)$/.test(code));
  if (further === undefined) return issue;
  const { path, message } = innermost(further);
  return { path: [...issue.path, ...path], message };
}

/** Checks a value with its schema. Returns the value, or the problem, its fix and its place. */
export function parse<Name extends keyof Parsed>(
  name: Name,
  value: unknown,
): { value: Parsed[Name] } | { problem: string; place: string } {
  const schema = (made[name] ??= schemas[name]()) as z.core.$ZodType<Parsed[Name]>;
  let result;
  try {
    result = z.safeParse(schema, value);
  } catch {
    // The value may be a proxy that throws, or data that contains itself.
    const problem = `${shown(value)} cannot be read: give a rule or plain data without cycles`;
    return { problem, place: "" };
  }
  if (result.success) return { value: result.data };
  const issue = innermost(leading(result.error.issues));
  const place = issue.path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("");
  return { problem: issue.message, place: place.replace(/^\./, "") };
}
