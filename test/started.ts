/** The command line of the sources, started by the same shell lines as the installed one. */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { starter } from "../src/build/starter.ts";
import { patience, tempDir } from "./harness.ts";

const main = join(import.meta.dir, "..", "src", "cli.ts");

/** Writes the starter into a folder and returns its path. */
export function writeStarted(folder = tempDir(), name = "landlock-restrict.js"): string {
  const path = join(folder, name);
  writeFileSync(path, `${starter}import ${JSON.stringify(main)};\n`, { mode: 0o755 });
  return path;
}

/** A PATH where the starter finds the Bun that runs the tests. */
export const bunFirst = `${dirname(process.execPath)}:${process.env["PATH"]}`;

/** Runs a shell line in which `"$ll"` is the tool. Output is latin1: each byte is a character. */
export function shell(line: string, cwd = tempDir(), env: Record<string, string> = {}) {
  const { stdout, stderr, exitCode } = Bun.spawnSync(["/bin/sh", "-c", line], {
    ...{ cwd, stdin: "ignore", timeout: patience(30_000) },
    env: { ...process.env, PATH: bunFirst, ll: writeStarted(), ...env },
  });
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
  return { stdout: text(stdout), stderr: text(stderr), code: exitCode };
}
