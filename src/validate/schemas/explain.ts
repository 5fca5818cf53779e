/** The schemas for the arguments of `explain()` and `permissions.has()`. */
import * as z from "zod/mini";
import { accessFs, accessNet, scopes } from "../../kernel/abi.ts";
import { nodeScopes } from "../../vocabulary.ts";
import type { PathLike } from "../values.ts";
import { fsRights, is, listOf, netRights, object, oneOf, port } from "./parts.ts";

/** Whether a value describes handled rights and rules, like a `Plan` or a `Report`. */
function isJudging(value: unknown): value is object {
  const { handled, rules } = (value ?? {}) as {
    handled?: Record<string, unknown>;
    rules?: unknown;
  };
  const families = [handled?.["fs"], handled?.["net"], handled?.["scoped"]];
  return families.every(Array.isArray) && Array.isArray(rules);
}

const layer = z.custom<object>(
  (value) => isJudging(value) || isJudging((value as { plan?: unknown } | null)?.plan),
  is("a layer", "give a Plan, a Report or a Ruleset, such as policy.plan()"),
);

const fsAccess = z.union(
  [oneOf(accessFs, "a filesystem right"), fsRights],
  is("access", `give a right or a list of rights out of ${accessFs.join(", ")}`),
);
const netAccess = z.union(
  [oneOf(accessNet, "a network right"), netRights],
  is("access", `give a right or a list of rights out of ${accessNet.join(", ")}`),
);

/** Takes the schema of paths as an argument because `parts.ts` doesn't contain it. */
export function explainSchemas(path: z.ZodMiniType<PathLike>) {
  return {
    pathQuestion: () => object({ path, access: fsAccess }),
    portQuestion: () => object({ port, access: netAccess }),
    explainOptions: () =>
      object({
        layers: z.optional(listOf(layer)),
        access: z.optional(fsAccess),
        path: z.optional(path),
        port: z.optional(port),
      }),
    permissionScope: () =>
      oneOf([...nodeScopes, ...accessFs, ...accessNet, ...scopes], "a scope of permissions"),
  };
}
