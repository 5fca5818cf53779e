/** A JSON Schema validator for the keywords of our schema; any other keyword is an error. */
import { isDeepStrictEqual } from "node:util";

type Schema = Readonly<Record<string, unknown>>;
type Check = (value: unknown, argument: never, schema: Schema) => boolean;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const types: Record<string, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
};

const ignore: Check = () => true;

/** Keywords for one type accept every value of another type. */
const checks: Record<string, Check> = {
  $schema: ignore,
  title: ignore,
  description: ignore,
  type: (value, type: string) => types[type]!(value),
  enum: (value, values: unknown[]) => values.includes(value),
  anyOf: (value, schemas: Schema[]) => schemas.some((schema) => accepts(schema, value)),
  minimum: (value, least: number) => typeof value !== "number" || value >= least,
  maximum: (value, most: number) => typeof value !== "number" || value <= most,
  minLength: (value, least: number) => typeof value !== "string" || value.length >= least,
  pattern: (value, regex: string) =>
    typeof value !== "string" || new RegExp(regex, "u").test(value),
  minItems: (value, least: number) => !Array.isArray(value) || value.length >= least,
  items: (value, schema: Schema) =>
    !Array.isArray(value) || value.every((item) => accepts(schema, item)),
  uniqueItems: (value) =>
    !Array.isArray(value) ||
    value.every((item, i) => value.findIndex((other) => isDeepStrictEqual(item, other)) === i),
  required: (value, names: string[]) =>
    !isObject(value) || names.every((name) => Object.hasOwn(value, name)),
  properties: (value, schemas: Record<string, Schema>) =>
    !isObject(value) ||
    Object.entries(schemas).every(
      ([name, schema]) => !Object.hasOwn(value, name) || accepts(schema, value[name]),
    ),
  additionalProperties: (value, schema: Schema | false, { properties = {} }) =>
    !isObject(value) ||
    Object.entries(value)
      .filter(([name]) => !Object.hasOwn(properties as object, name))
      .every(([, item]) => schema !== false && accepts(schema, item)),
  propertyNames: (value, schema: Schema) =>
    !isObject(value) || Object.keys(value).every((name) => accepts(schema, name)),
};

/** Whether a schema accepts a value. */
export function accepts(schema: Schema, value: unknown): boolean {
  return Object.entries(schema).every(([keyword, argument]) => {
    const check = checks[keyword];
    if (!check) throw new Error(`the validator does not know ${keyword}`);
    return check(value, argument as never, schema);
  });
}
