/** Finds the file of a command as execvp(3) does: for `spawn()`, the command line and presets. */
import { errnoName, LandlockError } from "../errors/errors.ts";
import { fileMode, mayExecute } from "./syscalls.ts";
import { S_IFMT, S_IFREG } from "./uapi.ts";

const ENOENT = -2;
const EACCES = -13;
const EILSEQ = -84;
/** Any other errno ends the search. */
const passedOver = ["ENOTDIR", "ENODEV", "ESTALE", "ETIMEDOUT"];

/** Where a command is looked for if PATH is not set. */
export const defaultPath = "/usr/bin:/bin";

/**
 * Looks a command up as execvp(3) does: directories, and files that this user may not execute, are
 * passed over. An empty entry of PATH is the current directory.
 *
 * @param name A name with a slash is not looked up
 * @param PATH The entries to search; default: this process's
 * @param cwd The command's working directory, which relative entries start from
 * @returns The path as execve(2) in `cwd` takes it, always with a slash, or a negative errno:
 *   `-EACCES` if there was something of that name that cannot be executed, `-ENOENT` if not,
 *   `-EILSEQ` where Bun has lost bytes of an entry, which is another directory then
 */
export function lookUpCommand(
  name: string,
  PATH: string | undefined = process.env["PATH"],
  cwd?: string,
): string | number {
  if (name.includes("/")) return name;
  let failure = ENOENT;
  // Not a file of that name: the directory itself, or one whose name a system call would cut.
  if (name === "" || name.includes("\0")) return failure;
  for (const entry of (PATH ?? defaultPath).split(":")) {
    if (entry.includes("\ufffd")) return EILSEQ;
    const path = `${entry === "" ? "." : entry}/${name}`;
    const errno = executableError(cwd && !path.startsWith("/") ? `${cwd}/${path}` : path);
    if (errno === 0) return path;
    if (errno === EACCES) failure = EACCES;
    else if (errno !== ENOENT && !passedOver.includes(errnoName(-errno))) return errno;
  }
  return failure;
}

/** 0 for a file that this user may execute, or the errno of execve(2). */
export function executableError(path: string): number {
  const mode = fileMode(path);
  if (mode < 0) return mode;
  return (mode & S_IFMT) === S_IFREG ? mayExecute(path) : EACCES;
}

/** Why `lookUpCommand()` found nothing, and what to do, for the end of a message. */
export function lookUpFailure(errno: number): string {
  if (errno === ENOENT) return "it is not on PATH; install it, or give its path";
  if (errno === EACCES) {
    return "what PATH has of that name is not executable by this user; chmod +x it, or give another path";
  }
  return `looking it up on PATH failed with ${errnoName(-errno)}; give its path`;
}

/** The error for a command that `lookUpCommand()` did not find. */
export function lookUpError(what: string, name: string, errno: number): LandlockError {
  return new LandlockError("ERR_LANDLOCK_PATH", `${what}: ${lookUpFailure(errno)}`, {
    syscall: "execve",
    errno: -errno,
    path: name,
  });
}
