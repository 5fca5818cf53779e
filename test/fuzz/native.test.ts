/** The C library under sanitizers, with the inputs that a fuzzer kept. */
import { expect } from "bun:test";
import { join } from "node:path";
import { tempDir, testUnless } from "../harness.ts";
import { compile, natives, sanitizerSettings, unpackSeeds, type Native } from "./native.ts";

const missing = Bun.which("gcc") || process.env["CI"] ? "" : "needs gcc";

const what = {
  proc: "what it reads of /proc is what is there, whatever that is",
  launcher: "as a program it starts no command without its restriction, whatever its arguments",
  broadcast: "however threads come, go and answer, all are restricted or none is",
} as const satisfies Record<Native, string>;

for (const name of Object.keys(natives) as Native[]) {
  testUnless(missing, what[name], () => {
    const folder = tempDir();
    const program = join(folder, name);
    compile(name, program, "gcc");
    const files = unpackSeeds(name, join(folder, "seeds"));
    expect(files.length).toBeGreaterThan(5);
    const { exitCode, stdout, stderr } = Bun.spawnSync([program, ...files], {
      env: { ...process.env, ...sanitizerSettings },
      timeout: 25_000,
    });
    // The sanitizer warns that changing stacks may cause false reports.
    expect(stderr.toString().replace(/^.* fully support makecontext.*\n/gm, "")).toBe("");
    expect([exitCode, stdout.toString()]).toEqual([0, `${files.length}\n`]);
  });
}
