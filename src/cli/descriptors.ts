/** Which open files the command gets besides its standard input, output and error. */
import { LandlockError, syscallError } from "../errors/errors.ts";
import { closeOnExecFrom, setCloseOnExec } from "../kernel/syscalls.ts";

const EBADF = -9;
const ENOSYS = -38;

/**
 * Hands descriptors above 2 on to the command; all others stay behind.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` naming all that were not open;
 *   `ERR_LANDLOCK_SYSCALL` where close_range(2) is forbidden
 */
export function handOn(fds: readonly number[]): void {
  const closed = closeOnExecFrom(3);
  // Containers answer so for calls that their filter has never heard of.
  if (closed < 0 && !(closed === ENOSYS && markEach())) {
    throw syscallError("Cannot keep open files from the command", "close_range", -closed);
  }
  complainOf(fds.filter((fd) => fd > 2 && (isBunsOwn(fd) || setCloseOnExec(fd, false) < 0)));
}

/**
 * Checks descriptors that another program is to hand on.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` naming all that are not open
 */
export function checkOpen(fds: readonly number[]): void {
  complainOf(fds.filter((fd) => fd > 2 && (isBunsOwn(fd) || setCloseOnExec(fd, true) < 0)));
}

function complainOf(missing: readonly number[]): void {
  if (missing.length === 0) return;
  const [first] = missing;
  const [are, them] = missing.length > 1 ? ["are", "them"] : ["is", "it"];
  throw new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    `-fd: ${missing.join(", ")} ${are} not open: open ${them} for landlock-restrict, as with ${first}<FILE in a shell, or leave ${them} out`,
  );
}

/** Marks one by one the descriptors above 2 that /proc lists; whether it does, and all were marked. */
function markEach(): boolean {
  const { readdirSync } = require("node:fs") as typeof import("node:fs");
  try {
    const fds = readdirSync("/proc/self/fd").map(Number);
    // The one that the list was read from is closed by now: EBADF is no failure.
    return fds.every((fd) => fd < 3 || [0, EBADF].includes(setCloseOnExec(fd, true)));
  } catch {
    return false;
  }
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
