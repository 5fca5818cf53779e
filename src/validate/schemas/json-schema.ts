/** The JSON Schema of policy files for editors, made from the schema that reads them. */
import * as z from "zod/mini";
import { newestAbi } from "../../kernel/abi.ts";
import { capitalized, pathRules, portRules, presetsAbout } from "../../vocabulary.ts";
import { abi, fsRights, pathString, port, text } from "./parts.ts";
import { policySchemas } from "./policy.ts";

const { policy, alone } = policySchemas();

/** A non-empty string without NUL. */
const string = { type: "string", pattern: "^[^\\u0000]+$" } as const;

/** JSON Schemas for zod schemas that contain functions. */
const written = new Map<z.core.$ZodType, z.core.JSONSchema.BaseSchema>([
  [abi, { type: "integer", minimum: 1, maximum: newestAbi }],
  [port, { type: "integer", minimum: 0, maximum: 65535 }],
  [pathString, string],
  [text, string],
  [fsRights, { uniqueItems: true }],
  [alone, { uniqueItems: true }],
]);

/** The descriptions of keys that editors show. */
const descriptions: Readonly<Record<string, string>> = {
  $schema: "Address of this schema, for editors",
  abi: `Landlock ABI: all that it can restrict is denied unless allowed here; default ${newestAbi}`,
  bestEffort:
    "true: leave out what the kernel lacks; { atLeast: ABI }: but fail below that ABI; default false: fail",
  variables:
    'Values of ${NAME} in paths: a string, a list, or { "env": NAME } for the environment\'s',
  ...Object.fromEntries(
    Object.values(pathRules).map(({ key, about }) => [key, capitalized(about)]),
  ),
  paths: "Paths with other rights, or paths that may be missing",
  ...Object.fromEntries(
    Object.entries(portRules).map(([key, { about }]) => [key, capitalized(about)]),
  ),
  presets: capitalized(presetsAbout),
  unrestricted:
    "What not to restrict, so that all of it is allowed: a family, or one of the keys for ports",
};

/** Makes the schema in draft 2020-12. */
export function policyJsonSchema(): z.core.JSONSchema.BaseSchema {
  const schema = z.toJSONSchema(policy, {
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      Object.assign(jsonSchema, written.get(zodSchema as z.core.$ZodType));
    },
  });
  for (const [key, description] of Object.entries(descriptions)) {
    Object.assign(schema.properties![key]!, { description });
  }
  return { title: "Landlock policy of bun-landlock", ...schema };
}
