/** Every error about a policy, word for word. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { LandlockError, parsePolicy } from "../../src/index.ts";
import { policyJsonSchema } from "../../src/validate/schemas/json-schema.ts";
import { accepts } from "./json-schema.ts";
import { landlockConfig, own } from "./wrong.ts";

/** The message of the thrown error, which must be a `LandlockError` of one line. */
function complaint(value: unknown, options?: object): string {
  try {
    parsePolicy(value, options);
  } catch (error) {
    if (!(error instanceof LandlockError)) throw error;
    const wrong = options === undefined ? "POLICY" : "RULE";
    expect(error.code).toBe(`ERR_LANDLOCK_INVALID_${wrong}`);
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

// As JSON, because that is what an editor gets.
const schema = JSON.parse(JSON.stringify(policyJsonSchema())) as Record<string, unknown>;

/** Only the parser knows how keys depend on each other. */
const beyond = [
  "is not replaced",
  "needs Landlock ABI",
  "is unrestricted here",
  "nothing is left that Landlock",
  "grants nothing",
];

const right: unknown[] = [
  {},
  { $schema: "x", abi: 11, bestEffort: false },
  { bestEffort: true, unrestricted: [] },
  { bestEffort: { atLeast: 4 }, unrestricted: ["net", "scoped"] },
  { ro: ["/"], rw: ["a b"], roFiles: [], rwFiles: ["."] },
  { variables: { A: "a", B_1: ["b", "c"] }, ro: ["${A}", "${B_1}"] },
  { paths: [{ access: "roFiles", paths: [] }] },
  { paths: [{ access: ["read_file", "refer"], paths: ["/"], refer: true, ifMissing: "skip" }] },
  { bindTcp: [0, 65535], connectTcp: [1], bindUdp: [], connectSendUdp: [53] },
];

describe("the schema and the parser accept the same", () => {
  for (const policy of right) {
    test(JSON.stringify(policy), () => {
      expect(() => parsePolicy(policy)).not.toThrow();
      expect(accepts(schema, policy)).toBe(true);
    });
  }

  for (const name of ["own.json", "own.jsonc", "own.toml", "own.yaml"]) {
    test(name, async () => {
      expect(accepts(schema, (await import(join(import.meta.dir, "samples", name))).default)).toBe(
        true,
      );
    });
  }
});

describe("the schema and the parser refuse the same", () => {
  const variables: unknown[] = [
    [],
    { A: "" },
    { A: [] },
    { A: 1 },
    { "A-B": "a" },
    { A: { of: "a" } },
  ];
  const more = variables.map((variables) => [{ variables }, ""] as const);
  for (const [policy, message] of [...own, ...more, [{ ro: ["a\0b"] }, ""] as const]) {
    const known = !beyond.some((text) => message.includes(text));
    test(`${JSON.stringify(policy)}${known ? "" : ": the parser alone"}`, () => {
      expect(() => parsePolicy(policy)).toThrow();
      expect(accepts(schema, policy)).toBe(!known);
    });
  }
});

test("every key has a description", () => {
  const properties = schema["properties"] as Record<string, { description?: string }>;
  const silent = Object.keys(properties).filter((key) => !properties[key]!.description);
  expect(silent).toEqual([]);
});
