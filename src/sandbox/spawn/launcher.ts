/** The launcher: the native library as a program, in memory. */
import { LandlockError } from "../../errors/errors.ts";
import { idOf } from "../../kernel/identity.ts";
import { launcherImage } from "../../kernel/memory.ts";
import {
  close,
  fileSystemType,
  hasMagicLink,
  isDumpable,
  openPath,
  readLink,
} from "../../kernel/syscalls.ts";
import { PROC_SUPER_MAGIC } from "../../kernel/uapi.ts";
import type { Call } from "./call.ts";

const isMain = Bun.isMainThread;

/** This process's number in `/proc`, and the descriptor of the launcher, once they are known. */
let own: { readonly number: string; readonly fd: number } | undefined;

/**
 * @throws {LandlockError} `ERR_LANDLOCK_NATIVE` if there is no `/proc`, or the launcher cannot be
 *   put into memory, or not be executed from there
 */
function findOwn() {
  // A child executes the launcher through /proc, and without procfs a file of that name could be
  // anybody's.
  const isProc = fileSystemType("/proc/self/fd") === PROC_SUPER_MAGIC;
  // Not process.pid: this may be the /proc of another pid namespace, where that is somebody else.
  const number = isProc ? readLink("/proc/self") : undefined;
  if (number !== undefined) return { number, fd: launcherImage() };
  const message = "Cannot start the launcher: this process is not in /proc; mount it";
  throw new LandlockError("ERR_LANDLOCK_NATIVE", message, { path: "/proc/self" });
}

/** Where a child finds the launcher. */
interface Found {
  readonly path: string;
  /** What the child has to be handed for that, at the number that was said. */
  readonly handed: readonly number[];
}

/**
 * Finds a way for a child to the launcher, which needs no exec bit, no path inside the sandbox and
 * no rule.
 *
 * @param childFd The number at which the child would get the launcher
 * @param isOtherUser Whether the child runs as another user or group
 * @throws {LandlockError} `ERR_LANDLOCK_NATIVE` if there is none
 */
export function findLauncher(childFd: number, isOtherUser: boolean): Found {
  own ??= findOwn();
  // The child may look into this process: 20 µs less than into its own, new entry in /proc. Not so
  // for another user, nor below ABI 8 for a Worker, whose domain is not that of the main thread.
  const isOpen = isMain && !isOtherUser && isDumpable();
  return isOpen
    ? { path: `/proc/${own.number}/fd/${own.fd}`, handed: [] }
    : { path: `/proc/self/fd/${childFd}`, handed: [own.fd] };
}

/**
 * A program's path that the launcher may follow. `/proc/self/exe` and what leads there would be the
 * launcher, and a descriptor that the child is not handed is closed by then: to a child of Bun's
 * they are what they are here.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if such a file has no path of its own
 */
export function lastingPath(path: string, { cwd, stdio }: Pick<Call, "cwd" | "stdio">): string {
  const file = cwd !== undefined && !path.startsWith("/") ? `${cwd}/${path}` : path;
  if (!hasMagicLink(file)) return path;
  const number = /^\/(?:proc\/(?:thread-)?self|dev)\/fd\/(\d+)$/.exec(file)?.[1];
  const isClosed = Number(number) >= stdio.length;
  const fd = openPath(file);
  if (fd < 0) return path;
  const id = idOf(fd);
  const real = readLink(`/proc/self/fd/${fd}`) ?? "";
  close(fd);
  if (!isClosed && id !== idAt("/proc/self/exe")) return path;
  if (idAt(real) === id) return real;
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot start "${path}": it leads to "${real}", which is not there; name a file that is`,
    { path },
  );
}

/** The identity of the file at a path; "": there is none. */
function idAt(path: string): string {
  const fd = openPath(path);
  const id = fd < 0 ? "" : idOf(fd);
  if (fd >= 0) close(fd);
  return id;
}
