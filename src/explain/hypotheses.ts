/** Derives what was tried from the facts of an error. */
import { quoted } from "../errors/errors.ts";
import type { FsRight, NetRight } from "../kernel/abi.ts";
import { unknownPort, type Attempt, type Hypotheses } from "./attempt.ts";
import type { Failure } from "./failure.ts";
import type { Open, Operation } from "../model/operation.ts";
import type { Files } from "../model/place.ts";
import { disguised } from "./disguised.ts";
import { programOperations, programPath } from "./granted.ts";

const writers = ["writeFileSync", "appendFileSync", "write", "writer", "createWriteStream"];
const readers = ["readFileSync", "readdirSync", "start", "text", "json", "bytes", "arrayBuffer"];

/** The hypotheses for an error. Undefined if it has nothing to do with access. */
export function hypothesesOf(
  failure: Failure,
  files: Files,
  access: readonly string[] | undefined,
): Hypotheses | undefined {
  return disguised(failure, files) ?? missing(failure, files) ?? plain(failure, files, access);
}

/** Landlock never fails with these errnos. */
function missing({ code, path, dest }: Failure, files: Files): Hypotheses | undefined {
  if (code !== "ENOENT" && code !== "ENOTDIR") return undefined;
  const gone = [path, dest].find((one) => one !== undefined && !files.find(one, true).file);
  if (gone === undefined) return { attempts: [], path };
  return { attempts: [], path, missing: `${quoted(gone)} does not exist` };
}

function plain(
  failure: Failure,
  files: Files,
  access: readonly string[] | undefined,
): Hypotheses | undefined {
  const { code, path, dest, port } = failure;
  const scope = code === "EPERM" ? scopeOf(failure) : undefined;
  if (scope) return { attempts: [{ operations: [scope], certain: false }], path };
  if (code !== "EACCES" && code !== "EXDEV") return undefined;
  // Node's form, such as "spawn /bin/sh".
  const syscall = failure.syscall.split(" ")[0]!;
  if (/spawn|execve/.test(syscall)) return path ? spawning(path, syscall) : undefined;
  const fetches = syscall === "" && /url or port/.test(failure.message);
  // The connection used { unix }, which the error doesn't mention.
  if (path !== undefined && fetches)
    return { attempts: only({ kind: "resolve_unix", path }), path };
  if (path !== undefined) {
    const attempts = attemptsOn(path, dest, syscall, failure, files, access);
    return attempts && { attempts, path: syscall === "symlink" ? dest : path };
  }
  return onPort(fetches ? "connect" : syscall, port, failure.isUdp);
}

/** Ordinary permissions give the same errno, and the error doesn't name the process. */
function scopeOf({ syscall, path }: Failure): Operation | undefined {
  if (syscall === "kill") return { kind: "scope", scope: "signal" };
  // Names of abstract sockets start with NUL, which Bun may change.
  const abstract = syscall === "connect" && !path?.startsWith("/");
  return abstract ? { kind: "scope", scope: "abstract_unix_socket" } : undefined;
}

function only(...operations: Operation[]): Attempt[] {
  return [{ operations }];
}

function attemptsOn(
  path: string,
  dest: string | undefined,
  syscall: string,
  failure: Failure,
  files: Files,
  access: readonly string[] | undefined,
): Attempt[] | undefined {
  const type = files.find(path, false).file?.type;
  // A raw system call leaves no name in the error: the caller must pass `access`.
  if (access && syscall === "") return only({ kind: "access", path, access: access as FsRight[] });
  switch (syscall) {
    case "open":
    case "openat":
    case "":
      return openings(path, failure.callee, files, access);
    case "scandir":
    case "opendir":
      return only({ kind: "open", path, read: true });
    case "mkdir":
    case "mkdtemp":
      return only(...making(firstMissing(path, files), failure.isCopy));
    case "unlink":
      return only({ kind: "remove", path, directory: false });
    case "rmdir":
      return only({ kind: "remove", path, directory: true });
    case "rm":
      return only(...removal(path, type === "directory"));
    case "rename":
    case "link":
      return dest === undefined ? undefined : only({ kind: syscall, path, to: dest });
    case "symlink":
      return dest === undefined ? undefined : only({ kind: "make", path: dest, type: "symlink" });
    case "truncate":
    case "ftruncate":
      return only({ kind: "truncate", path });
    case "copyfile":
    case "cp":
      return dest === undefined
        ? openings(path, failure.callee, files, access)
        : only({ kind: "open", path, read: true }, writing(dest));
    case "listen":
    case "bind":
      return only({ kind: "make", path, type: "socket" });
    case "connect":
      return only({ kind: "resolve_unix", path });
    case "ioctl":
      return only({ kind: "ioctl", path });
    default:
      return undefined;
  }
}

function writing(path: string, truncate = true): Open {
  return { kind: "open", path, write: true, create: true, truncate };
}

/** Only the names of synchronous functions tell whether they read or write. */
function openings(
  path: string,
  callee: string,
  files: Files,
  access: readonly string[] | undefined,
): Attempt[] {
  const { file } = files.find(path, true);
  const read = only({ kind: "open", path, read: true });
  if (file?.type === "directory") return read;
  if (access) return only(asHinted(path, access as readonly FsRight[]));
  if (readers.includes(callee)) return read;
  const write = only(writing(path, callee !== "appendFileSync"));
  // Reading a missing file would fail with ENOENT.
  return file === undefined || writers.includes(callee) ? write : [...read, ...write];
}

function asHinted(path: string, access: readonly FsRight[]): Open {
  const has = (...rights: FsRight[]) => rights.some((right) => access.includes(right));
  return {
    kind: "open",
    path,
    read: has("read_file", "read_dir"),
    write: has("write_file", "truncate", "make_reg"),
    create: has("make_reg"),
    truncate: has("truncate"),
  };
}

/**
 * `mkdir(path, { recursive: true })` names the last directory, but fails at the first missing one.
 */
function firstMissing(path: string, files: Files): string {
  let first = path;
  for (let next = path; next.includes("/", 1);) {
    next = next.slice(0, next.lastIndexOf("/"));
    if (files.find(next, true).file) break;
    first = next;
  }
  return first;
}

/**
 * Removing a directory includes listing it and removing its content. Bun tries to unlink each
 * directory first.
 */
function removal(path: string, directory: boolean): Operation[] {
  const own: Operation = { kind: "remove", path, directory: false };
  if (!directory) return [own];
  return [
    { kind: "open", path, read: true },
    { kind: "access", path, access: ["remove_dir", "remove_file"] },
    own,
    { ...own, directory: true },
  ];
}

/** `cp()` first makes a directory, then files beneath it. */
function making(path: string, isCopy: boolean): Operation[] {
  const made: Operation = { kind: "make", path, type: "directory" };
  return isCopy ? [made, writing(path)] : [made];
}

const devNull: Operation = { kind: "open", path: "/dev/null", read: true, write: true };

/** The launcher of `ruleset.spawn()` is in memory, so only its stdio can be denied. */
export const launching: Hypotheses = { attempts: [{ operations: [devNull] }], path: "/dev/null" };

/**
 * `Bun.spawn()` opens `/dev/null` for ignored stdio, which is the default for standard input.
 * Node's functions use pipes.
 */
function spawning(name: string, syscall: string): Hypotheses {
  const path = programPath(name);
  const program = { operations: programOperations(path), preset: `executable=${name}` };
  if (syscall !== "posix_spawn") return { attempts: [program], path };
  return { attempts: [{ ...program, also: [devNull] }], path };
}

/** Only UDP reports `bind`; TCP reports `listen`. */
function onPort(syscall: string, port: number | undefined, isUdp: boolean): Hypotheses | undefined {
  const on = (right: NetRight, where = port): Attempt => ({
    operations: [{ kind: "port", access: [right], port: where ?? unknownPort }],
    certain: where === port,
  });
  const needs = "the error does not name the port: give it, as { port: 443 }";
  const known = port === undefined ? { needs } : { port };
  if (syscall === "listen") return { attempts: [on("bind_tcp")], ...known };
  if (syscall === "bind") {
    // Usually the program asked for no port, and the kernel picked one.
    const anyPort = port === undefined ? [on("bind_udp", 0)] : [];
    return { attempts: [...anyPort, on("bind_udp")], ...known };
  }
  if (/^send/.test(syscall)) return { attempts: [on("connect_send_udp")], ...known };
  if (syscall !== "connect") return undefined;
  return { attempts: [on(isUdp ? "connect_send_udp" : "connect_tcp")], ...known };
}
