/** Types of explain() and permissions, which `bun check` judges. */
import { expectTypeOf, test } from "bun:test";
import {
  explain,
  permissions,
  type AccessDeniedError,
  type Cause,
  type Denial,
  type Explanation,
  type ExplanationData,
  type ExplainOptions,
  type Fix,
  type FsRight,
  type LayerLike,
  type NetRight,
  type NodePermission,
  type PathLike,
  type PermissionScope,
  type Plan,
  type Report,
  type Rule,
  type Scope,
} from "../src/index.ts";

test("explain() takes anything, and returns an Explanation, read-only throughout", () => {
  expectTypeOf(explain).parameters.toEqualTypeOf<[unknown, (ExplainOptions | undefined)?]>();
  expectTypeOf(explain).returns.toEqualTypeOf<Explanation>();
  expectTypeOf<Explanation>().toExtend<ExplanationData>();
  expectTypeOf<ExplanationData>().toEqualTypeOf<Readonly<ExplanationData>>();
  type Known = "landlock" | "permission" | "missing" | "other";
  expectTypeOf<Cause>().toEqualTypeOf<Known | "allowed" | "unknown">();
  expectTypeOf<Explanation["denials"]>().toEqualTypeOf<readonly Denial[]>();
  expectTypeOf<Denial["right"]>().toEqualTypeOf<FsRight | NetRight | Scope>();
  expectTypeOf<Denial>().toEqualTypeOf<Readonly<Denial>>();
  expectTypeOf<Explanation["fixes"]>().toEqualTypeOf<readonly Fix[]>();
  expectTypeOf<Fix["rule"]>().toEqualTypeOf<Rule | undefined>();
  expectTypeOf<Fix>().toEqualTypeOf<Readonly<Fix>>();
});

test("explain() can be asked by a Plan, a Report, or what holds a plan", () => {
  expectTypeOf<Plan>().toExtend<LayerLike>();
  expectTypeOf<Report>().toExtend<LayerLike>();
  expectTypeOf<Pick<ExplainOptions, "path" | "port">>().toEqualTypeOf<{
    readonly path?: PathLike;
    readonly port?: number;
  }>();
});

test("permissions are asked in Node's words, and told in them", () => {
  expectTypeOf(permissions.has).toEqualTypeOf<
    (scope: PermissionScope, reference?: PathLike | number) => boolean
  >();
  expectTypeOf<FsRight | NetRight | Scope>().toExtend<PermissionScope>();
  expectTypeOf<AccessDeniedError>().toExtend<Error>();
  expectTypeOf<AccessDeniedError["permission"]>().toEqualTypeOf<NodePermission>();
  expectTypeOf<AccessDeniedError["code"]>().toEqualTypeOf<"ERR_ACCESS_DENIED">();
});
