/**
 * The zod schemas of everything that comes from outside.
 */
import * as z from "zod/mini";
import { accessFs, accessNet, newestAbi, scopes } from "./kernel/abi.ts";
import { isAbi, isFileUrl, isPathString, isPort, type PathLike } from "./values.ts";

function shown(value: unknown): string {
  const text = inspected(value).replaceAll(/\s+/g, " ");
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

function inspected(value: unknown): string {
  try {
    return typeof value === "string" ? JSON.stringify(value) : Bun.inspect(value);
  } catch {
    return "a value that cannot be shown";
  }
}

/** A message that names the value and what would be right instead. */
function is(what: string, fix: string) {
  return { error: (issue: { input?: unknown }) => `${shown(issue.input)} is not ${what}: ${fix}` };
}

const path = z.custom<PathLike>(
  (value) => isPathString(value) || isFileUrl(value),
  is("a path", "give a non-empty string without NUL, or a file: URL"),
);
const pathString = z.custom<string>(
  isPathString,
  is("a path", "give a non-empty string without NUL"),
);
const port = z.custom<number>(isPort, is("a port", "give an integer from 0 to 65535"));
const abi = z.custom<number>(isAbi, is("a Landlock ABI", `give an integer from 1 to ${newestAbi}`));

function whole(what: string, least: number) {
  return z.custom<number>(
    (value) => Number.isInteger(value) && (value as number) >= least,
    is(what, `give an integer from ${least}`),
  );
}

const list = is("a list", "give an array");

function distinct<Item extends z.core.$ZodType>(item: Item) {
  return z
    .array(item, list)
    .check(
      z.refine((items) => new Set(items).size === items.length, is("a set", "name nothing twice")),
    );
}

function rights<const Names extends readonly string[]>(names: Names, what: string) {
  return distinct(z.enum(names, is(what, `use some of ${names.join(", ")}`)));
}

const fsRights = rights(accessFs, "a filesystem right");
const netRights = rights(accessNet, "a network right");
const flag = z.optional(z.boolean(is("a setting", "use true or false")));
const onDenial = z.enum(["log", "quiet"], is("onDenial", 'use "log" or "quiet"'));

function object<Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `${issue.keys.map(shown).join(", ")} is unknown: use ${known}`
        : `${shown(issue.input)} is not an object: give one with ${known}`,
  });
}

const fsRule = object({
  kind: z.literal("fs"),
  access: fsRights,
  explicit: fsRights,
  paths: z.array(pathString, list),
  onFile: z.enum(["narrow", "fail"], is("onFile", 'use "narrow" or "fail"')),
  onMissing: z.enum(["fail", "skip"], is("onMissing", 'use "fail" or "skip"')),
  onDenial,
}).check(
  z.refine(
    (rule) => rule.explicit.every((right) => rule.access.includes(right)),
    is("an fs rule", "explicit must be part of access"),
  ),
);
const netRule = object({
  kind: z.literal("net"),
  access: netRights,
  ports: z.array(port, list),
  onDenial,
});
const compositeRule = object({
  kind: z.literal("composite"),
  get rules() {
    return z.array(rule, list);
  },
});

type PlainRule =
  z.infer<typeof fsRule> | z.infer<typeof netRule> | { kind: "composite"; rules: PlainRule[] };

const rule: z.ZodMiniType<PlainRule> = z.discriminatedUnion(
  "kind",
  [fsRule, netRule, compositeRule],
  is("a rule", "make one with roDirs(), bindTcp() and the like"),
) as never;

const schemas = {
  paths: z.array(path, list),
  ports: z.array(port, list),
  fsRights,
  rule,
  config: object({
    fs: z.optional(fsRights),
    net: z.optional(netRights),
    scoped: z.optional(rights(scopes, "a scope")),
  }),
  bestEffort: object({ atLeast: z.optional(abi) }),
  rules: z.array(rule, list),
  kernel: z.object(
    {
      abi: whole("an ABI", 0),
      errata: whole("a mask of errata", 0),
      state: z.enum(
        ["enabled", "disabled", "unsupported", "blocked", "not-linux"],
        is("a state", "use one that probe() returns"),
      ),
    },
    is("a kernel", "give { abi, errata, state }, as probe() returns"),
  ),
  configData: object({
    abi,
    fs: fsRights,
    net: netRights,
    scoped: rights(scopes, "a scope"),
    logging: rights(
      ["log_same_exec_off", "log_new_exec_on", "log_subdomains_off"],
      "an audit log flag",
    ),
    mode: z.enum(["strict", "best-effort"], is("a mode", 'use "strict" or "best-effort"')),
    atLeast: z.custom<number>(
      (value) => value === 0 || isAbi(value),
      is("a Landlock ABI", `give an integer from 0 to ${newestAbi}`),
    ),
  }),
  bunPreset: object({ children: flag }),
  dnsPreset: object({ ports: flag }),
  cwdPreset: object({ write: flag }),
  restrictSelf: object({
    deadlineMs: z.optional(
      z.custom<number>(
        (value) => Number.isInteger(value) && (value as number) > 0 && (value as number) <= 60_000,
        is("a deadline", "give milliseconds from 1 to 60000"),
      ),
    ),
  }),
};

/** The values that have a schema, by name. */
export type Parsed = { [Name in keyof typeof schemas]: z.infer<(typeof schemas)[Name]> };

/** The value as its schema gives it, or one sentence that names what is wrong and the fix. */
export function parse<Name extends keyof Parsed>(
  name: Name,
  value: unknown,
): { value: Parsed[Name] } | { problem: string } {
  const schema = schemas[name] as never as z.core.$ZodType<Parsed[Name]>;
  let result;
  try {
    result = z.safeParse(schema, value);
  } catch {
    // A proxy that throws, or data that contains itself.
    return { problem: `${shown(value)} cannot be read: give a rule or plain data that ends` };
  }
  if (result.success) return { value: result.data };
  const issue = result.error.issues[0]!;
  const place = issue.path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("");
  return { problem: `${place ? `${place.replace(/^\./, "")}: ` : ""}${issue.message}` };
}
