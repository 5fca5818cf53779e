/** The schema of policies in this library's own format. */
import * as z from "zod/mini";
import { families, pathKeys, portKeys } from "../../vocabulary.ts";
import {
  abi,
  bestEffortOptions,
  distinct,
  filled,
  fsRights,
  is,
  listOf,
  object,
  once,
  oneOf,
  onMissing,
  optional,
  pathString,
  port,
  shown,
  text,
  variableName,
} from "./parts.ts";

/** The schema of a policy, and of its list of unrestricted families and ports. */
export const policySchemas = once(() => {
  const variable = z.union(
    [text, filled(text), object({ env: text })],
    is("a variable", "give a string, a list of strings, or a table with env"),
  );

  const variables = z.record(z.string().check(z.regex(variableName)), variable, {
    error: (issue) =>
      issue.code === "invalid_key"
        ? `${shown(issue.input)} is not the name of a variable: use letters, digits and _, a letter first`
        : `${shown(issue.input)} is not a table: give names and their values`,
  });

  const boolean = z.boolean(is("a boolean", "use true or false"));

  const grant = object({
    access: z.union(
      [z.enum(pathKeys), fsRights],
      is("access", `give a list of rights, or one of ${pathKeys.join(", ")}`),
    ),
    paths: listOf(pathString),
    refer: z.optional(boolean),
    ifMissing: z.optional(onMissing("ifMissing")),
  });

  const alone = distinct(oneOf([...families, ...portKeys], "something that can be unrestricted"));

  const policy = object({
    $schema: z.optional(z.string(is("the address of a schema", "give a string"))),
    abi: z.optional(abi),
    bestEffort: z.optional(
      z.union(
        [z.boolean(), bestEffortOptions()],
        is("bestEffort", "use true or false, or a table with atLeast or allowNone"),
      ),
    ),
    variables: z.optional(variables),
    ...optional(pathKeys, listOf(pathString)),
    paths: z.optional(listOf(grant)),
    ...optional(portKeys, listOf(port)),
    presets: z.optional(listOf(text)),
    unrestricted: z.optional(alone),
  });
  return { policy, alone };
});
