/** A plan is made of plain data, from JSON perhaps: whatever is wrong in it is named. */
import { expect, test } from "bun:test";
import { landlock, LandlockError, planFor, roDirs, type Kernel } from "../src/index.ts";

const kernel: Kernel = { abi: 11, errata: 0xff, state: "enabled" };
const plain = JSON.parse(JSON.stringify(landlock.V3)) as object;

function failure(config: unknown, rules: unknown, on: unknown): unknown {
  try {
    return planFor(config as never, rules as never, on as never);
  } catch (error) {
    return error;
  }
}

test("planFor() takes a plain Config, plain rules and a plain kernel", () => {
  const rules = JSON.parse(JSON.stringify([roDirs("/usr")])) as unknown;
  const plan = planFor(landlock.V3, [roDirs("/usr")], kernel);
  expect(failure(plain, rules, { ...kernel })).toEqual(plan);
  expect(plain).toMatchObject({ fs: [...landlock.V3.fs] });
  expect(Object.isFrozen((plain as typeof landlock.V3).fs)).toBeFalse();
});

const wrongConfigs: [what: string, value: object, named: string][] = [
  ["a filesystem right", { fs: ["reed"] }, "reed"],
  ["a network right", { net: ["bind_sctp"] }, "bind_sctp"],
  ["a scope", { scoped: ["pipes"] }, "pipes"],
  ["a log flag", { logging: ["log_all"] }, "log_all"],
  ["a mode", { mode: "lax" }, "lax"],
  ["an ABI", { abi: 99 }, "99"],
  ["atLeast", { mode: "best-effort", atLeast: 2.5 }, "2.5"],
  ["a key", { ipc: [] }, "ipc"],
];
for (const [what, value, named] of wrongConfigs) {
  test(`planFor() names ${what} of a plain Config that it does not know`, () => {
    for (const mode of ["strict", "best-effort"]) {
      const error = failure({ ...plain, mode, ...value }, [], kernel) as LandlockError;
      expect(error).toBeInstanceOf(LandlockError);
      expect(error.code).toBe("ERR_LANDLOCK_INVALID_RULE");
      expect(error.message).toContain(named);
    }
  });
}

const wrongKernels: [what: string, value: object, named: string][] = [
  ["an ABI that is no number", { abi: "7" }, "7"],
  ["an ABI that is NaN", { abi: NaN }, "NaN"],
  ["a negative ABI", { abi: -1 }, "-1"],
  ["errata that are no number", { errata: "all" }, "all"],
  ["an unknown state", { state: "asleep" }, "asleep"],
];
for (const [what, value, named] of wrongKernels) {
  test(`planFor() refuses a kernel with ${what}`, () => {
    const error = failure(landlock.V3, [], { ...kernel, ...value }) as LandlockError;
    expect(error).toBeInstanceOf(LandlockError);
    expect(error.code).toBe("ERR_LANDLOCK_INVALID_RULE");
    expect(error.message).toContain(named);
  });
}

test("planFor() throws a LandlockError for anything else in place of its arguments", () => {
  const odd = [undefined, null, 5, "x", {}, roDirs("/usr")];
  const failures = odd.flatMap((value) => [
    failure(value, [], kernel),
    failure(landlock.V3, value, kernel),
    failure(landlock.V3, [], value),
  ]);
  expect(failures.filter((error) => !(error instanceof LandlockError))).toEqual([]);
});
