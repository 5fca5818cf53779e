/** Which open files the command gets besides its standard input, output and error. */
import { LandlockError } from "../errors.ts";
import { keepOnExec } from "../kernel/syscalls.ts";

/**
 * Hands descriptors on to the command. Bun marked everything that it inherited close-on-exec
 * when it started, so all others stay behind.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` naming all that were not open
 */
export function handOn(fds: readonly number[]): void {
  const missing = fds.filter((fd) => fd > 2 && (isBunsOwn(fd) || keepOnExec(fd) < 0));
  if (missing.length === 0) return;
  const [first] = missing;
  const [are, them] = missing.length > 1 ? ["are", "them"] : ["is", "it"];
  throw new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    `-fd: ${missing.join(", ")} ${are} not open: open ${them} for landlock-restrict, as with ${first}<FILE in a shell, or leave ${them} out`,
  );
}

/** An event loop that Bun opened for itself, at a number that was free. */
function isBunsOwn(fd: number): boolean {
  const { readlinkSync } = require("node:fs") as typeof import("node:fs");
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith("anon_inode:");
  } catch {
    return false;
  }
}
