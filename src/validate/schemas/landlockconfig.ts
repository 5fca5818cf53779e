/** The schema of the Landlock project's own format. */
import * as z from "zod/mini";
import { accessFs, accessNet, scopes } from "../../kernel/abi.ts";
import {
  filled,
  is,
  object,
  once,
  oneOf,
  optional,
  pathString,
  port,
  text,
  variableName,
} from "./parts.ts";

/**
 * The Landlock project's format, with the keys of its JSON or its TOML.
 *
 * @see {@link https://github.com/landlock-lsm/landlockconfig}
 */
export const landlockConfig = once(() => {
  const fsAccess = filled(
    oneOf(["abi.all", "abi.read_execute", "abi.read_write", ...accessFs], "a filesystem right"),
  );
  const netAccess = filled(oneOf(["abi.all", ...accessNet], "a network right"));
  const scopeAccess = filled(oneOf(["abi.all", ...scopes], "a scope"));

  const pathBeneath = object({
    ...optional(["allowedAccess", "allowed_access"], fsAccess),
    parent: filled(pathString),
  });
  const netPort = object({
    ...optional(["allowedAccess", "allowed_access"], netAccess),
    port: filled(port),
  });

  return object({
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
});
