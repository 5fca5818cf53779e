/** The JSON Schema says what the parser says, as far as JSON Schema can. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { parsePolicy } from "../../src/index.ts";
import { policyJsonSchema } from "../../src/validate/schemas/json-schema.ts";
import { accepts } from "./json-schema.ts";
import { own } from "./wrong.ts";

// As an editor gets it: as JSON.
const schema = JSON.parse(JSON.stringify(policyJsonSchema())) as Record<string, unknown>;

/** What only the parser knows: how keys depend on each other. */
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
