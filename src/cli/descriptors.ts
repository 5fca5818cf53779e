/** Decides which open files the command inherits besides standard input, output and error. */
import { EBADF, ENOSYS } from "../errors/errno.ts";
import { LandlockError, syscallError } from "../errors/errors.ts";
import { closeOnExecFrom, setCloseOnExec } from "../kernel/syscalls.ts";

/**
 * Passes descriptors above 2 on to the command and closes all others at exec.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_USAGE` naming those that aren't open;
 *   `ERR_LANDLOCK_SYSCALL` if close_range(2) is forbidden
 */
export function passDescriptors(fds: readonly number[]): void {
  const closed = closeOnExecFrom(3);
  // Container filters return this for system calls that they don't know.
  if (closed < 0 && !(closed === -ENOSYS && markEach())) {
    throw syscallError("Cannot keep open files from the command", "close_range", -closed);
  }
  complainOf(fds.filter((fd) => fd > 2 && (isBunsOwn(fd) || setCloseOnExec(fd, false) < 0)));
}

/**
 * Checks descriptors that another program will pass on.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_USAGE` naming those that aren't open
 */
export function checkOpen(fds: readonly number[]): void {
  complainOf(fds.filter((fd) => fd > 2 && (isBunsOwn(fd) || setCloseOnExec(fd, true) < 0)));
}

function complainOf(missing: readonly number[]): void {
  if (missing.length === 0) return;
  const [first] = missing;
  const [are, them] = missing.length > 1 ? ["are", "them"] : ["is", "it"];
  throw new LandlockError(
    "ERR_LANDLOCK_USAGE",
    `-fd: ${missing.join(", ")} ${are} not open: open ${them} for landlock-restrict, for example with ${first}<FILE in a shell, or leave ${them} out`,
  );
}

/** Marks each descriptor above 2 in /proc close-on-exec. Returns whether all were marked. */
function markEach(): boolean {
  const { readdirSync } = require("node:fs") as typeof import("node:fs");
  try {
    const fds = readdirSync("/proc/self/fd").map(Number);
    // EBADF is expected: the descriptor that read the list is closed by now.
    return fds.every((fd) => fd < 3 || [0, -EBADF].includes(setCloseOnExec(fd, true)));
  } catch {
    return false;
  }
}

/** Whether it is an event loop that Bun opened at a free descriptor. */
function isBunsOwn(fd: number): boolean {
  const { readlinkSync } = require("node:fs") as typeof import("node:fs");
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith("anon_inode:");
  } catch {
    return false;
  }
}
