/** Every complaint about a policy, word by word. */
import { describe, expect, test } from "bun:test";
import { LandlockError, parsePolicy } from "../../src/index.ts";
import { landlockConfig, own } from "./wrong.ts";

/** The message of what it throws, which has to be a `LandlockError` of one line. */
function complaint(value: unknown, options?: object): string {
  try {
    parsePolicy(value, options);
  } catch (error) {
    if (!(error instanceof LandlockError)) throw error;
    expect(error.code).toBe("ERR_LANDLOCK_INVALID_RULE");
    expect(error.processChanged).toBe(false);
    expect(error.message).toStartWith("parsePolicy(): ");
    expect(error.message).not.toContain("\n");
    return error.message.replace("parsePolicy(): ", "");
  }
  return "nothing is wrong";
}

describe("a policy of our own", () => {
  for (const [value, message] of own) {
    test(message.slice(0, 90), () => expect(complaint(value)).toBe(message));
  }

  test("presets that there are not are named by their place", () => {
    expect(complaint({ presets: ["no such preset"] })).toStartWith("presets[0]: ");
  });
});

describe("a configuration of the Landlock project", () => {
  for (const [value, message] of landlockConfig) {
    test(message.slice(0, 90), () => expect(complaint(value)).toBe(message));
  }
});

test("parsePolicy() takes no options but base", () => {
  expect(complaint({}, { bass: "/" })).toBe('"bass" is unknown: use base');
  expect(complaint({}, { base: "" })).toBe(
    'base: "" is not a path: give a non-empty string without NUL',
  );
});

test("nothing but a LandlockError is thrown, whatever comes in", () => {
  const hostile = (): never => {
    throw new Error("no");
  };
  const loop: { ro: unknown[] } = { ro: [] };
  loop.ro.push(loop);
  const values = [
    new Proxy({}, { ownKeys: hostile, get: hostile, getOwnPropertyDescriptor: hostile }),
    {
      get ro() {
        return hostile();
      },
    },
    loop,
    { ro: [Symbol("a")], rw: 1n },
    ...[undefined, 1n, Symbol("a"), () => 1, [[]], NaN, { ro: { length: 1 } }],
    { variables: { A: loop } },
    { paths: [loop] },
    { bestEffort: [] },
  ];
  for (const value of values) expect(complaint(value)).not.toBe("nothing is wrong");
});
