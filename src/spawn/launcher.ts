/** Finds the launcher: the native library in memory, executed as a program. */
import { LandlockError } from "../errors/errors.ts";
import { idOf } from "../kernel/identity.ts";
import { launcherImage } from "../kernel/native.ts";
import {
  close,
  fileSystemType,
  hasMagicLink,
  isDumpable,
  openPath,
  readLink,
} from "../kernel/syscalls.ts";
import { PROC_SUPER_MAGIC } from "../kernel/uapi.ts";
import type { Call } from "./call.ts";

const isMain = Bun.isMainThread;

/** This process's id in `/proc` and the launcher's descriptor, once known. */
let own: { readonly number: string; readonly fd: number } | undefined;

/**
 * @throws {LandlockError} `ERR_LANDLOCK_NATIVE` if there is no `/proc`, or if the launcher can't be
 *   put into memory or executed there
 */
function findOwn() {
  // A child executes the launcher through /proc. If that isn't procfs, the file could be anybody's.
  const isProc = fileSystemType("/proc/self/fd") === PROC_SUPER_MAGIC;
  // /proc may belong to another pid namespace, where process.pid is another process.
  const number = isProc ? readLink("/proc/self") : undefined;
  if (number !== undefined) return { number, fd: launcherImage() };
  const message = "Cannot start the launcher: this process is not in /proc; mount it";
  throw new LandlockError("ERR_LANDLOCK_NATIVE", message, { path: "/proc/self" });
}

/** How a child finds the launcher. */
interface Found {
  readonly path: string;
  /** The descriptors that the child must inherit for it, starting at `childFd`. */
  readonly handed: readonly number[];
}

/**
 * Finds a way for a child to execute the launcher without an executable file, a path inside the
 * sandbox or a rule.
 *
 * @param childFd The number that the launcher's descriptor would get in the child
 * @param isOtherUser Whether the child runs as another user or group
 * @throws {LandlockError} `ERR_LANDLOCK_NATIVE` if there is none
 */
export function findLauncher(childFd: number, isOtherUser: boolean): Found {
  own ??= findOwn();
  // A child may usually open this process's entry in /proc, which is 20 µs faster than its own.
  // Another user may not, and below ABI 8 neither may a Worker's child, because the Worker's domain
  // differs.
  const isOpen = isMain && !isOtherUser && isDumpable();
  return isOpen
    ? { path: `/proc/${own.number}/fd/${own.fd}`, handed: [] }
    : { path: `/proc/self/fd/${childFd}`, handed: [own.fd] };
}

/**
 * A program's path that still works in the launcher. There `/proc/self/exe` would be the launcher
 * itself, and descriptors that the child doesn't inherit are closed. A plain child of Bun sees this
 * process's files.
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

/** The identity of the file at a path; empty if there is none. */
function idAt(path: string): string {
  const fd = openPath(path);
  const id = fd < 0 ? "" : idOf(fd);
  if (fd >= 0) close(fd);
  return id;
}
