/** The schemas of policy files: this library's own format, and that of the Landlock project. */
import * as z from "zod/mini";
import { accessFs, accessNet, scopes } from "../kernel/abi.ts";
import {
  abi,
  distinct,
  fsRights,
  is,
  listOf,
  object,
  oneOf,
  pathString,
  port,
  shown,
} from "./parts.ts";
import { isPathString } from "../values.ts";

const isText = is("a value", "give a non-empty string without NUL");
/** Text that means something. */
export const text = z.string(isText).check(z.refine(isPathString, isText));

function filled<Item extends z.core.$ZodType>(item: Item) {
  return listOf(item).check(z.minLength(1, is("a list of one or more", "put something in it")));
}

/** What a variable is called: as in the Landlock project's format. */
export const variableName = /^[A-Za-z][A-Za-z0-9_]*$/;

const variable = z.union(
  [text, filled(text), object({ env: text })],
  is("a variable", 'give a string, a list of strings, or { "env": NAME }'),
);

const variables = z.record(z.string().check(z.regex(variableName)), variable, {
  error: (issue) =>
    issue.code === "invalid_key"
      ? `${shown(issue.input)} is not the name of a variable: use letters, digits and _, a letter first`
      : `${shown(issue.input)} is not a table: give names and their values`,
});

/** Rights by the name of the rule that grants them. */
const ruleNames = ["ro", "rw", "roFiles", "rwFiles"] as const;

const boolean = z.boolean(is("a boolean", "use true or false"));

const grant = object({
  access: z.union(
    [z.enum(ruleNames), fsRights],
    is("access", `give a list of rights, or one of ${ruleNames.join(", ")}`),
  ),
  paths: listOf(pathString),
  refer: z.optional(boolean),
  ifMissing: z.optional(z.enum(["fail", "skip"], is("ifMissing", 'use "fail" or "skip"'))),
});

const paths = z.optional(listOf(pathString));
const ports = z.optional(listOf(port));

/** What can be left alone. */
export const families = distinct(
  oneOf(["paths", "net", "scoped"], "a family that can be left alone"),
);

/** A policy as this library has it. */
export const policy = object({
  $schema: z.optional(z.string(is("the address of a schema", "give a string"))),
  abi: z.optional(abi),
  bestEffort: z.optional(
    z.union(
      [z.boolean(), object({ atLeast: abi })],
      is("bestEffort", 'use true, false or { "atLeast": ABI }'),
    ),
  ),
  variables: z.optional(variables),
  ro: paths,
  rw: paths,
  roFiles: paths,
  rwFiles: paths,
  paths: z.optional(listOf(grant)),
  bindTcp: ports,
  connectTcp: ports,
  bindUdp: ports,
  connectSendUdp: ports,
  presets: z.optional(listOf(text)),
  unrestricted: z.optional(families),
});

const fsAccess = filled(
  oneOf(["abi.all", "abi.read_execute", "abi.read_write", ...accessFs], "a filesystem right"),
);
const netAccess = filled(oneOf(["abi.all", ...accessNet], "a network right"));
const scopeAccess = filled(oneOf(["abi.all", ...scopes], "a scope"));

function optional<const Keys extends string, Schema extends z.core.$ZodType>(
  keys: readonly Keys[],
  schema: Schema,
) {
  const entries = keys.map((key) => [key, z.optional(schema)] as const);
  return Object.fromEntries(entries) as Record<Keys, z.ZodMiniOptional<Schema>>;
}

const pathBeneath = object({
  ...optional(["allowedAccess", "allowed_access"], fsAccess),
  parent: filled(pathString),
});
const netPort = object({
  ...optional(["allowedAccess", "allowed_access"], netAccess),
  port: filled(port),
});

/**
 * A configuration as the Landlock project has it, in the spelling of its JSON or of its TOML.
 *
 * @see {@link https://github.com/landlock-lsm/landlockconfig}
 */
export const landlockConfig = object({
  abi: z.optional(
    z.custom<number>(
      (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) < 2 ** 31,
      is("a Landlock ABI", "give an integer from 1"),
    ),
  ),
  variable: z.optional(
    filled(
      object({
        name: z
          .string(is("a name", "give a string"))
          .check(
            z.regex(
              variableName,
              is("the name of a variable", "use letters, digits and _, a letter first"),
            ),
          ),
        literal: z.optional(filled(text)),
      }),
    ),
  ),
  ruleset: z.optional(
    filled(
      object({
        ...optional(["handledAccessFs", "handled_access_fs"], fsAccess),
        ...optional(["handledAccessNet", "handled_access_net"], netAccess),
        scoped: z.optional(scopeAccess),
      }),
    ),
  ),
  ...optional(["pathBeneath", "path_beneath"], filled(pathBeneath)),
  ...optional(["netPort", "net_port"], filled(netPort)),
});
