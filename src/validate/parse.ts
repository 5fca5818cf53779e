import { LandlockError } from "../errors/errors.ts";
import { parse as parseSchema, type Parsed } from "./schemas.ts";

/**
 * Puts a value from outside through its zod schema.
 *
 * @param call The function the user called, for the message, as `"bindTcp()"`
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE`
 */
export function parse<Name extends keyof Parsed>(
  name: Name,
  value: unknown,
  call: string,
): Parsed[Name] {
  const parsed = parseSchema(name, value);
  if ("problem" in parsed) {
    const { problem, place } = parsed;
    const hint = { id: "argument", call, place } as const;
    throw new LandlockError("ERR_LANDLOCK_INVALID_RULE", problem, { hint });
  }
  return parsed.value;
}
