/** From the facts of an error to what was tried, as the model knows it. */
import { quoted } from "../errors/errors.ts";
import type { FsRight, NetRight } from "../kernel/abi.ts";
import { unknownPort, type Attempt, type Reading } from "./attempt.ts";
import type { Failure } from "./failure.ts";
import type { Open, Operation } from "../model/operation.ts";
import type { Files } from "../model/place.ts";
import { disguised } from "./disguised.ts";
import { programOperations, programPath } from "./granted.ts";

const writers = ["writeFileSync", "appendFileSync", "write", "writer", "createWriteStream"];
const readers = ["readFileSync", "readdirSync", "start", "text", "json", "bytes", "arrayBuffer"];

/** Reads an error. Nothing: it has nothing to do with access. */
export function readingOf(
  failure: Failure,
  files: Files,
  access: readonly string[] | undefined,
): Reading | undefined {
  return disguised(failure, files) ?? missing(failure, files) ?? plain(failure, files, access);
}

/** Landlock never fails with these. */
function missing({ code, path, dest }: Failure, files: Files): Reading | undefined {
  if (code !== "ENOENT" && code !== "ENOTDIR") return undefined;
  const gone = [path, dest].find((one) => one !== undefined && !files.find(one, true).file);
  if (gone === undefined) return { attempts: [], path };
  return { attempts: [], path, missing: `${quoted(gone)} does not exist` };
}

function plain(
  failure: Failure,
  files: Files,
  access: readonly string[] | undefined,
): Reading | undefined {
  const { code, path, dest, port } = failure;
  const scope = code === "EPERM" ? scopeOf(failure) : undefined;
  if (scope) return { attempts: [{ operations: [scope], certain: false }], path };
  if (code !== "EACCES" && code !== "EXDEV") return undefined;
  // As "spawn /bin/sh", which is Node's.
  const syscall = failure.syscall.split(" ")[0]!;
  if (/spawn|execve/.test(syscall)) return path ? spawning(path, syscall) : undefined;
  const fetches = syscall === "" && /url or port/.test(failure.message);
  // With { unix }, of which the error has nothing.
  if (path !== undefined && fetches)
    return { attempts: only({ kind: "resolve_unix", path }), path };
  if (path !== undefined) {
    const attempts = attemptsOn(path, dest, syscall, failure, files, access);
    return attempts && { attempts, path: syscall === "symlink" ? dest : path };
  }
  return onPort(fetches ? "connect" : syscall, port, failure.isUdp);
}

/** Ordinary permissions have the same errno, and the error does not say which process. */
function scopeOf({ syscall, path }: Failure): Operation | undefined {
  if (syscall === "kill") return { kind: "scope", scope: "signal" };
  // Names of abstract sockets start with NUL, whatever Bun makes of it.
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
  // Whoever calls the kernel by himself has to say what for.
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

/** Only synchronous functions say whether they read or wrote. */
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
  // What is not there cannot be opened for reading: that would be ENOENT.
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

/** `mkdir(path, { recursive: true })` names the last one and fails at the first. */
function firstMissing(path: string, files: Files): string {
  let first = path;
  for (let next = path; next.includes("/", 1);) {
    next = next.slice(0, next.lastIndexOf("/"));
    if (files.find(next, true).file) break;
    first = next;
  }
  return first;
}

/** With its contents, which it has to list; Bun tries to unlink each directory first. */
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

/** What `cp()` makes first is a directory, and files beneath it come next. */
function making(path: string, isCopy: boolean): Operation[] {
  const made: Operation = { kind: "make", path, type: "directory" };
  return isCopy ? [made, writing(path)] : [made];
}

const devNull: Operation = { kind: "open", path: "/dev/null", read: true, write: true };

/** The launcher of `ruleset.spawn()` is in memory, so all that can be denied is its stdio. */
export const launching: Reading = { attempts: [{ operations: [devNull] }], path: "/dev/null" };

/**
 * `Bun.spawn()` opens `/dev/null` for what is ignored, as standard input is unless it is told; Node's
 * functions have pipes there.
 */
function spawning(name: string, syscall: string): Reading {
  const path = programPath(name);
  const program = { operations: programOperations(path), preset: `executable=${name}` };
  if (syscall !== "posix_spawn") return { attempts: [program], path };
  return { attempts: [{ ...program, also: [devNull] }], path };
}

/** Binding is UDP's, listening TCP's. */
function onPort(syscall: string, port: number | undefined, isUdp: boolean): Reading | undefined {
  const on = (right: NetRight, where = port): Attempt => ({
    operations: [{ kind: "port", access: [right], port: where ?? unknownPort }],
    certain: where === port,
  });
  const needs = "the error does not name the port: give it, as { port: 443 }";
  const known = port === undefined ? { needs } : { port };
  if (syscall === "listen") return { attempts: [on("bind_tcp")], ...known };
  if (syscall === "bind") {
    // Most often nobody asked for a port, and the kernel picks one.
    const anyPort = port === undefined ? [on("bind_udp", 0)] : [];
    return { attempts: [...anyPort, on("bind_udp")], ...known };
  }
  if (/^send/.test(syscall)) return { attempts: [on("connect_send_udp")], ...known };
  if (syscall !== "connect") return undefined;
  return { attempts: [on(isUdp ? "connect_send_udp" : "connect_tcp")], ...known };
}
