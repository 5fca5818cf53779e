/** A short run of the policy and command-line fuzzers, with a fixed seed. */
import { describe, expect, test } from "bun:test";
import { patience, tempDir } from "../harness.ts";
import { flags } from "./flags.ts";
import { fuzz } from "./loop.ts";
import { policies } from "./policies.ts";
import { compareGrants, grant, refusal, type Target } from "./target.ts";

const tries = 3000;
/** Far more than a run takes: it ends a parser that hangs. */
const timeoutMs = patience(60_000);

const goesOn = (done: number) => done < tries;

const parts = {
  "a policy's file": () => fuzz(policies(tempDir()), 1, goesOn),
  "a command line": () => fuzz(flags(tempDir()), 1, goesOn),
} as const;

for (const [what, run] of Object.entries(parts)) {
  test(
    `${what} is refused with a LandlockError, or means what it says: seeds and draws of them`,
    () => {
      const { failure, known } = run();
      expect(failure).toBeUndefined();
      expect(known.length).toBeGreaterThan(100);
    },
    timeoutMs,
  );
}

describe("the fuzzer notices", () => {
  test("an error that is none of ours, and keeps the smallest input that makes it", () => {
    const target: Target<string> = {
      seeds: ["abc"],
      mutate: (random, known) => `${random.one(known)}${random.one(["a", "b", "x"])}`,
      check: (text) => (text.includes("x") ? refusal(new TypeError("x")) : text.slice(0, 5)),
      shrink: (text, fails) => [...text].find(fails) ?? text,
    };
    const { failure } = fuzz(target, 1, goesOn);
    expect(failure).toEqual({ input: "x", error: new TypeError("x") });
  });

  test("what is granted without being named, and what is named without being granted", () => {
    const [a, b] = [new Set([grant("/a", "read_file")]), new Set([grant("/b", "read_file")])];
    expect(() => compareGrants(a, a, true)).not.toThrow();
    expect(() => compareGrants(a.union(b), a, true)).toThrow("nothing else is granted");
    expect(() => compareGrants(a, a.union(b), false)).toThrow("what is named is granted");
  });
});
