import { LandlockError } from "../errors/errors.ts";
import { parse as parseSchema, type Parsed } from "./schemas.ts";

/**
 * Checks a value from outside with its zod schema.
 *
 * @param call The function that the user called, for the message, such as `"bindTcp()"`
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if the value is invalid
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
