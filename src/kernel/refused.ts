/** Explains why execve(2) refused a program, for `spawn()` and the command line. */
import { ENOENT, ENOEXEC } from "../errors/errno.ts";
import { errnoName, fixOf, LandlockError } from "../errors/errors.ts";
import { idOf } from "./identity.ts";
import { executableErrno } from "./lookup.ts";
import { close, openFile, readInto } from "./syscalls.ts";

/** `BINPRM_BUF_SIZE`: how many bytes the kernel reads to recognize a file's format. */
const headBytes = 256;

/**
 * The error for a program that could not be executed.
 *
 * @param what What failed, such as `'Cannot execute "tool"'`
 * @param path The program as it was passed to execve(2)
 * @param errno The errno
 * @param cwd The directory that a relative path starts from
 */
export function executeError(
  what: string,
  path: string,
  errno: number,
  cwd?: string,
): LandlockError {
  const problem = `${what}: execve failed with ${errnoName(errno)}`;
  const details = { syscall: "execve", errno, path };
  const file = cwd !== undefined && !path.startsWith("/") ? `${cwd}/${path}` : path;
  const fix = fixFor(file, errno);
  return fix === undefined
    ? new LandlockError("ERR_LANDLOCK_PATH", problem, {
        ...details,
        hint: { id: "execute", program: file },
      })
    : new LandlockError("ERR_LANDLOCK_PATH", `${problem}; ${fix}`, details);
}

const EXIT_CANNOT_RUN = 126;
const EXIT_NOT_FOUND = 127;
/** The shells add the number of the signal that ended a command. */
const EXIT_SIGNAL = 128;

/** The exit status for a program that could not be executed, as in env(1) and the shells. */
export function exitStatusFor(errno: number): number {
  return errno === ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/** The exit status of a shell whose last command ended like that. */
export function exitStatusOf({
  exitCode,
  signal,
}: {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}): number {
  if (signal === null) return exitCode ?? 0;
  const { constants } = require("node:os") as typeof import("node:os");
  return EXIT_SIGNAL + constants.signals[signal];
}

/**
 * Predicts the errno of execve(2) for a file, as far as possible without calling it.
 *
 * @returns The errno, or 0
 */
export function expectedErrno(path: string): number {
  const own = executableErrno(path);
  if (own !== 0) return own;
  const head = textOf(path);
  const interpreter = hashBangIn(head)?.interpreter;
  if (interpreter !== undefined) return executableErrno(interpreter);
  return isElf(head) || mayHaveHandler() ? 0 : ENOEXEC;
}

/** Whether binfmt_misc may run other kinds of files here. */
function mayHaveHandler(): boolean {
  try {
    const { readdirSync } = require("node:fs") as typeof import("node:fs");
    const names = readdirSync("/proc/sys/fs/binfmt_misc");
    return names.some((name) => name !== "register" && name !== "status");
  } catch {
    return true;
  }
}

/** The interpreter of a `#!` line and the argument that it gets. */
export function hashBangIn(head: string) {
  const [line, interpreter, argument] = /^#![ \t]*([^ \t\n\0]+)([^\n\0]*)/.exec(head) ?? [];
  if (line === undefined) return undefined;
  // The kernel rejects an interpreter's name that doesn't fit into its buffer.
  const isCut = argument === "" && line.length === headBytes;
  return { interpreter: interpreter!, argument: argument!.trim(), isCut };
}

/** What to do, or undefined if only the sandbox can be the reason. */
function fixFor(file: string, errno: number): string | undefined {
  switch (errnoName(errno)) {
    case "EACCES":
      if (executableErrno(file) === 0) return undefined;
      return "it is a directory, or this user may not execute it; correct the path, or chmod +x it";
    case "ENOENT":
      return missing(file);
    case "ENOTDIR":
      return "correct the path: a part of it is not a directory";
    case "ELOOP":
      return "its symbolic links or interpreters lead in a circle; correct them";
    case "ENOEXEC":
      return unknownKind(textOf(file));
    case "E2BIG":
      return "shorten its arguments and environment";
    case "ETXTBSY":
      return "some program has it open for writing; close it there first";
    default:
      return fixOf(errno);
  }
}

/** The kernel returns ENOENT for a missing interpreter too. */
function missing(file: string): string {
  if (executableErrno(file) !== 0) return "correct the path, or install it";
  const head = textOf(file);
  const interpreter = hashBangIn(head)?.interpreter;
  if (interpreter?.endsWith("\r")) {
    return "its #! line ends in CRLF; save it with LF line ends";
  }
  if (interpreter !== undefined) {
    return `its interpreter ${JSON.stringify(interpreter)} is not there; install it, or correct the #! line`;
  }
  if (isElf(head)) return "its dynamic loader is not there; install it, or a build for this system";
  return "correct the path, or install its interpreter";
}

function unknownKind(head: string): string {
  if (isElf(head))
    return "it is damaged, or built for another CPU; install a build for this machine";
  if (head.startsWith("#!")) return "its #! line is not complete; correct it, as in #!/bin/sh";
  return "it is not a program, or a script without a #! line; begin it with a line such as #!/bin/sh";
}

function isElf(head: string): boolean {
  return head.startsWith("\x7fELF");
}

function textOf(file: string): string {
  const head = headOf(file);
  return typeof head === "number" ? "" : head.text;
}

/** The start of a file, one character per byte, and the file's identity; or -errno. */
export function headOf(file: string): { readonly text: string; readonly id: string } | number {
  const fd = openFile(file);
  if (fd < 0) return fd;
  const bytes = new Uint8Array(new ArrayBuffer(headBytes));
  const count = readInto(fd, bytes);
  const id = idOf(fd);
  close(fd);
  return count < 0 ? count : { text: String.fromCharCode(...bytes.subarray(0, count)), id };
}
