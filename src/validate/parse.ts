import { LandlockError } from "../errors/errors.ts";
import type { Subject } from "../errors/hints.ts";
import { parse as parseSchema, type Parsed } from "./schemas.ts";

/**
 * Checks a value from outside with its zod schema.
 *
 * @param subject What the value was given to, for the message
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if the value is invalid;
 *   `ERR_LANDLOCK_INVALID_POLICY` if it is a policy
 */
export function parse<Name extends keyof Parsed>(
  name: Name,
  value: unknown,
  subject: Subject | { readonly policy: string },
): Parsed[Name] {
  const parsed = parseSchema(name, value);
  if (!("problem" in parsed)) return parsed.value;
  const { problem, place } = parsed;
  if (typeof subject === "object" && "policy" in subject) {
    const source = place === "" ? subject.policy : `${subject.policy}: ${place}`;
    const details = { surface: "key", source } as const;
    throw new LandlockError("ERR_LANDLOCK_INVALID_POLICY", problem, details);
  }
  const hint = { id: "argument", subject, place } as const;
  throw new LandlockError("ERR_LANDLOCK_INVALID_RULE", problem, { hint });
}
