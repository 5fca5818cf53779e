import { readable } from "./grant.ts";
import type { CompositeRule } from "../rule.ts";
import { composite } from "../rules.ts";
/** X. */
export function modules(...entries: string[]): CompositeRule {
  return composite(readable(entries));
}
