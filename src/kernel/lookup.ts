/** Finds a command's file as execvp(3) does, for `spawn()`, the command line and presets. */
import { EACCES, EILSEQ, ENOENT } from "../errors/errno.ts";
import { errnoName, LandlockError } from "../errors/errors.ts";
import { fileMode, mayExecute } from "./syscalls.ts";
import { S_IFMT, S_IFREG } from "./uapi.ts";

/** The search continues after these errors. Any other error ends it. */
const passedOver = ["ENOTDIR", "ENODEV", "ESTALE", "ETIMEDOUT"];

/** The directories that are searched if PATH isn't set. */
export const defaultPath = "/usr/bin:/bin";

/**
 * Looks a command up as execvp(3) does. It skips directories and files that this user may not
 * execute. An empty PATH entry is the current directory.
 *
 * @param name A name that contains a slash is returned as it is
 * @param PATH The entries to search; default: this process's PATH
 * @param cwd The command's working directory, which relative entries start from
 * @returns The path for execve(2) in `cwd`, which always contains a slash, or an errno:
 *   `EACCES` if PATH has that name but it can't be executed, `ENOENT` if PATH doesn't have it,
 *   and `EILSEQ` if Bun replaced bytes of an entry
 */
export function lookUpCommand(
  name: string,
  PATH: string | undefined = process.env["PATH"],
  cwd?: string,
): string | number {
  if (name.includes("/")) return name;
  let failure = ENOENT;
  // An empty name would be the directory itself, and a system call would cut a name at its NUL.
  if (name === "" || name.includes("\0")) return failure;
  for (const entry of (PATH ?? defaultPath).split(":")) {
    if (entry.includes("\ufffd")) return EILSEQ;
    const path = `${entry === "" ? "." : entry}/${name}`;
    const errno = executableErrno(cwd && !path.startsWith("/") ? `${cwd}/${path}` : path);
    if (errno === 0) return path;
    if (errno === EACCES) failure = EACCES;
    else if (errno !== ENOENT && !passedOver.includes(errnoName(errno))) return errno;
  }
  return failure;
}

/** The absolute places on PATH where another file would come before the one that was found. */
export function placesBefore(found: string, name: string): string[] {
  const places = (process.env["PATH"] ?? defaultPath).split(":").map((entry) => `${entry}/${name}`);
  return places.slice(0, places.indexOf(found)).filter((place) => place.startsWith("/"));
}

/** Returns 0 for a file that this user may execute, otherwise the errno of execve(2). */
export function executableErrno(path: string): number {
  const mode = fileMode(path);
  if (mode < 0) return -mode;
  return (mode & S_IFMT) === S_IFREG ? -mayExecute(path) : EACCES;
}

/** Why `lookUpCommand()` found nothing and what to do, as the end of a message. */
export function lookUpFailure(errno: number): string {
  if (errno === ENOENT) return "it is not on PATH; install it, or give its path";
  if (errno === EACCES) {
    return "this user may not execute the file of that name on PATH; chmod +x it, or give another path";
  }
  return `looking it up on PATH failed with ${errnoName(errno)}; give its path`;
}

/** The error for a command that `lookUpCommand()` did not find. */
export function lookUpError(what: string, name: string, errno: number): LandlockError {
  return new LandlockError("ERR_LANDLOCK_PATH", `${what}: ${lookUpFailure(errno)}`, {
    syscall: "execve",
    errno,
    path: name,
  });
}
