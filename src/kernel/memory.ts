/**
 * The native library as a sealed file in memory. A path could lead to an attacker's file: in the
 * current directory, or where Bun unpacks programs, which a sandboxed command may write.
 */
import { errnoName, fixOf, LandlockError } from "../errors/errors.ts";
import { nativeBytes } from "./image.ts";
import { close, fcntl, memfdCreate, readFile, write } from "./syscalls.ts";
import {
  F_ADD_SEALS,
  F_DUPFD_CLOEXEC,
  F_GET_SEALS,
  F_SEAL_EXEC,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
} from "./uapi.ts";

const EACCES = -13;
const EINVAL = -22;

/** Nobody can change the file, not even a command that inherits it. */
const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

/**
 * All threads and all copies of this package look for the file at these descriptors. The library
 * has state, so a process should load it only once.
 */
const firstFd = 500;
const lastFd = 503;

let image = -1;

/** The descriptor of a sealed file in memory that holds the library; close-on-exec. */
export function nativeImage(): number {
  if (image < 0) image = create();
  return image;
}

/** The same file, to be executed as a program. */
export function launcherImage(): number {
  const fd = nativeImage();
  const found = fcntl(fd, F_GET_SEALS, 0);
  if (found < 0 || (found & F_SEAL_EXEC) === 0) return fd;
  throw new LandlockError(
    "ERR_LANDLOCK_NATIVE",
    "Cannot execute the launcher: this system forbids executable files in memory; lower the sysctl vm.memfd_noexec",
    { syscall: "memfd_create", errno: -EACCES },
  );
}

/**
 * Whether the file is sealed and holds exactly these bytes. Another process could pass us a
 * descriptor of its own.
 */
function isLibrary(fd: number): boolean {
  const found = fcntl(fd, F_GET_SEALS, 0);
  if (found < 0 || (found & seals) !== seals) return false;
  const bytes = readFile(`/proc/self/fd/${fd}`);
  return bytes !== undefined && Buffer.compare(bytes, nativeBytes()) === 0;
}

function create(): number {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  let fd = memfdCreate("liblandlock", flags | MFD_EXEC);
  // Linux before 6.3 lacks MFD_EXEC (EINVAL). The sysctl vm.memfd_noexec may forbid it (EACCES).
  if (fd === EINVAL || fd === EACCES) fd = memfdCreate("liblandlock", flags);
  if (fd < 0) throw imageError("memfd_create", -fd);
  const bytes = nativeBytes();
  for (let at = 0; at < bytes.length;) {
    const written = write(fd, bytes.subarray(at));
    if (written <= 0) throw imageError("write", -written, fd);
    at += written;
  }
  const sealed = fcntl(fd, F_ADD_SEALS, seals);
  if (sealed < 0) throw imageError("fcntl", -sealed, fd);
  const moved = fcntl(fd, F_DUPFD_CLOEXEC, firstFd);
  // If the limit on open files is too low to move it, only this thread uses it.
  if (moved < 0) return fd;
  close(fd);
  for (let other = firstFd; other < moved && other <= lastFd; other++) {
    if (!isLibrary(other)) continue;
    close(moved);
    return other;
  }
  return moved;
}

function imageError(syscall: string, errno: number, fd = -1): LandlockError {
  if (fd >= 0) close(fd);
  return new LandlockError(
    "ERR_LANDLOCK_NATIVE",
    `Cannot put the native library into memory: ${syscall} failed with ${errnoName(errno)}; ${fixOf(errno)}`,
    { syscall, errno },
  );
}
