/**
 * Thousands of rules, each with its own rights: by then the engine has compiled the code that hands
 * them to the kernel, and compiled code has given rules the rights of others.
 */
import { expect } from "bun:test";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";

const engines = [
  { name: "as it is", env: {} },
  { name: "with a compiler that does not wait", env: { BUN_JSC_useConcurrentJIT: "0" } },
  { name: "without its last compiler", env: { BUN_JSC_useFTLJIT: "0" } },
];

/** Files, which get reading or writing in turn. */
const fileCount = 50;
const ruleCount = 6000;

for (const { name, env } of engines) {
  testFromAbi(3, `every rule of thousands has its own rights: the engine ${name}`, async () => {
    const dir = tempDir();
    for (let i = 0; i < fileCount; i++) await Bun.write(`${dir}/${i}`, "text");
    const seen = await inSubprocess(
      { dir, fileCount, ruleCount },
      async ({ landlock, roDirs, rwDirs, outcome }, { dir, fileCount, ruleCount }) => {
        const { openSync } = await import("node:fs");
        const all = (mode: string) =>
          Array.from({ length: fileCount }, (_, i) => outcome(() => openSync(`${dir}/${i}`, mode)));
        const before = all("r+");
        // On a file both are narrowed, each time to other rights.
        const rules = Array.from({ length: ruleCount }, (_, i) => {
          const make = i % 2 === 0 ? roDirs : rwDirs;
          return make(`${dir}/${i % fileCount}`);
        });
        landlock.V3.restrictPaths(...rules);
        return { before, reading: all("r"), writing: all("r+") };
      },
      { env, timeoutMs: 60_000 },
    );
    const each = (outcomeOf: (i: number) => string) =>
      Array.from({ length: fileCount }, (_, i) => outcomeOf(i));
    expect(seen).toEqual({
      before: each(() => "ok"),
      reading: each(() => "ok"),
      writing: each((i) => (i % 2 === 0 ? "EACCES" : "ok")),
    });
  });
}
