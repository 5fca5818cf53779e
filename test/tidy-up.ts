/**
 * Preloaded by bunfig.toml, and so run once for all test files: a hook in a module that they
 * share would run for the first one only.
 */
import { afterAll } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { folders } from "./folders.ts";

// An emulated machine ends by itself, and takes seconds to start another Bun.
const emulated = process.env["LANDLOCK_TEST_PROGRAMS"] !== undefined;
if (process.env["LANDLOCK_TEST_SUPERVISOR"] !== `${process.ppid}` && !emulated) {
  const [, ...words] = readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
  const supervisor = join(import.meta.dir, "supervise.ts");
  process.execve!(process.execPath, [process.execPath, supervisor, ...words], process.env);
}

/** A busy disk takes its time over a few thousand files; in milliseconds. */
const timeoutMs = 60_000;

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}, timeoutMs);
