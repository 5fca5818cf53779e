/**
 * Preloaded by bunfig.toml, and so run once for all test files: a hook in a module that they
 * share would run for the first one only.
 */
import { afterAll } from "bun:test";
import { rmSync } from "node:fs";
import { folders } from "./folders.ts";

/** A busy disk takes its time over a few thousand files; in milliseconds. */
const timeoutMs = 60_000;

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}, timeoutMs);
