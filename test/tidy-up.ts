/**
 * bunfig.toml preloads this file, so it runs once for all test files. A hook in a shared module
 * would run for the first file only.
 */
import { FFIType } from "bun:ffi";
import { afterAll } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { folders } from "./folders.ts";
import { openLibc } from "./libc.ts";

// An emulated machine ends on its own, and needs seconds to start another Bun.
const emulated = process.env["LANDLOCK_TEST_PROGRAMS"] !== undefined;
if (process.platform === "linux" && !emulated) beSupervised();

/** Continues as the child of `supervise.ts` and ends with it, even if that is killed. */
function beSupervised(): void {
  if (process.env["LANDLOCK_TEST_SUPERVISOR"] !== `${process.ppid}`) {
    const [, ...words] = readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
    const supervisor = join(import.meta.dir, "supervise.ts");
    process.execve!(process.execPath, [process.execPath, supervisor, ...words], process.env);
  }
  const { i32, u64 } = FFIType;
  const PR_SET_PDEATHSIG = 1;
  const { prctl } = openLibc({ prctl: { args: [i32, u64], returns: i32 } });
  prctl(PR_SET_PDEATHSIG, BigInt(constants.signals.SIGKILL));
}

/** A busy disk needs this long to remove a few thousand files; in milliseconds. */
const timeoutMs = 60_000;

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}, timeoutMs);
