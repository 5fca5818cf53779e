/** What a command inherits through `ruleset.spawn()`, as Bun's own options say. */
import { expect } from "bun:test";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { landlock, roDirs, rwFiles } from "../../src/index.ts";
import { tempDir, testFromAbi } from "../harness.ts";

type Stdio = ["ignore", "pipe", "pipe", number];

/** Nothing here restricts this process, so no subprocess is needed. */
function makeRuleset() {
  const system = roDirs("/usr", "/bin", "/lib", "/lib64", "/etc", "/proc").ignoreIfMissing();
  return landlock.V11.bestEffort().ruleset(system, rwFiles("/dev/null"));
}

for (const way of ["spawn", "spawnSync"] as const) {
  async function run(script: string, options: { env?: Record<string, string>; stdio?: Stdio }) {
    using ruleset = makeRuleset();
    const command = ["/bin/sh", "-c", script];
    return way === "spawn"
      ? await ruleset.spawn(command, options).stdout.text()
      : ruleset.spawnSync(command, options).stdout.toString();
  }

  testFromAbi(1, `${way}() takes env, and an empty one is empty`, async () => {
    const script = "tr '\\0' '\\n' </proc/$$/environ";
    expect(await run(script, {})).toContain(`PATH=${process.env["PATH"]}\n`);
    expect(await run(script, { env: {} })).toBe("");
    expect(await run(script, { env: { LANG: "C", EMPTY: "" } })).toBe("LANG=C\nEMPTY=\n");
  });

  testFromAbi(1, `${way}() hands on 0, 1, 2 and what stdio names, nothing else`, async () => {
    const secret = join(tempDir(), "secret");
    writeFileSync(secret, "text");
    const fd = openSync(secret, "r");
    const list = "ls /proc/$$/fd";
    expect(await run(list, {})).toBe("0\n1\n2\n");
    const named = { stdio: ["ignore", "pipe", "pipe", fd] satisfies Stdio };
    expect(await run(list, named)).toBe("0\n1\n2\n3\n");
    const read = `cat <&3; cat ${secret} 2>&1`;
    expect(await run(read, named)).toBe(`textcat: ${secret}: Permission denied\n`);
    closeSync(fd);
  });
}
