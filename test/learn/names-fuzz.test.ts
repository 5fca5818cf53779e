/** A short run of the name fuzzer, with a fixed seed. */
import { expect, test } from "bun:test";
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { parsePolicy } from "../../src/index.ts";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { randomOf } from "../random.ts";
import { drawStep, kindNames } from "./names/operations.ts";
import { compare, tryRound } from "./names/round.ts";

testUnless(
  needsStrace || (kernelAbi < 1 ? "needs Landlock" : ""),
  "odd names through explain and learn: the plan grants what was used, and nothing else",
  async () => {
    for (const seed of [1, 2]) {
      const { names, differences } = await tryRound(randomOf(seed), tempDir(), 80);
      expect(differences).toEqual([]);
      expect(names).toBeGreaterThan(80);
    }
  },
  60_000,
);

test("the fuzzer of names notices what a policy grants too much, too little and silently", () => {
  const project = join(realpathSync(tempDir()), "project");
  mkdirSync(project);
  const random = randomOf(3);
  const steps = kindNames.map((kind, i) => drawStep(random, Buffer.from(project), `${i}`, kind));
  const wanted = steps.flatMap((step) => step.wanted);
  const unnameable = wanted.filter(({ path }) => !path.isWellFormed()).map(({ path }) => path);
  const paths = wanted
    .filter(({ path }) => path.isWellFormed())
    .map(({ path, rights, ifMissing = "fail" }) => ({
      access: [...rights],
      paths: [path.replaceAll("$", "$$$$")],
      ifMissing,
    }));
  const withheld = new Set(unnameable);
  expect(unnameable.length).toBeGreaterThan(0);
  expect(compare(parsePolicy({ paths }), project, steps, withheld)).toEqual([]);
  const more = [...paths, { access: ["write_file"], paths: [project] }];
  expect(compare(parsePolicy({ paths: more }), project, steps, withheld)).toEqual([
    `learn grants write_file on ${JSON.stringify(project)}, fail`,
  ]);
  const less = compare(parsePolicy({ paths: paths.slice(1) }), project, steps, withheld);
  expect(less[0]).toStartWith("learn does not grant ");
  expect(compare(parsePolicy({ paths }), project, steps, new Set())[0]).toStartWith(
    "learn does not say that ",
  );
});
