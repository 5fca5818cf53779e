/**
 * Predicts an operation's outcome if Landlock allows it, from facts about the files. It models the
 * kernel's own checks, before and after it asks Landlock.
 */
import { lstatSync, statSync } from "node:fs";
import type { FileOperation, Open, Operation } from "../../../src/model/operation.ts";
import type { Files, Inode, Place } from "../../../src/model/place.ts";
import type { PathServer } from "./sockets.ts";
import { ports, type Trial } from "./world.ts";

/** `"ok"` or an errno, and whether the kernel decides it before it asks Landlock. */
export interface Ordinary {
  readonly outcome: string;
  readonly before: boolean;
}

/** What the prediction needs in addition to the files. */
export interface Facts {
  readonly files: Files;
  readonly servers: ReadonlyMap<string, PathServer>;
  /** Inodes of directories that are mount points. */
  readonly covered: ReadonlySet<string>;
  /** Whether this user can create device nodes. */
  readonly devices: boolean;
  /** All last path components that a file may have. */
  readonly names: readonly string[];
}

const before = (outcome: string): Ordinary => ({ outcome, before: true });
const after = (outcome: string): Ordinary => ({ outcome, before: false });
const ok = after("ok");

/** The outcome of an operation; undefined if the facts do not decide it. */
export function ordinary({ operation, how }: Trial, facts: Facts): Ordinary | undefined {
  if (operation.kind === "scope") return ok;
  if (operation.kind === "port") return portOutcome(operation, how);
  const { kind, path } = operation;
  const follows = kind !== "make" && kind !== "remove" && kind !== "rename" && kind !== "link";
  const place = facts.files.find(path, follows);
  if (kind === "rename") return renameOutcome(operation, place, facts);
  if (kind === "link") return linkOutcome(operation, place, facts);
  if (place.parents.length === 0) return nowhere(path, follows);
  if (isGone(place)) return undefined;
  const { file } = place;
  if (kind === "open") return openOutcome(operation, file);
  if (kind === "make") return makeOutcome(operation, how, file, facts);
  if (file === undefined) return before("ENOENT");
  if (kind === "remove") return removeOutcome(operation.directory, file, facts);
  if (kind === "execute") return executeOutcome(file);
  if (kind === "truncate") {
    if (file.type === "directory") return before("EISDIR");
    return file.type === "regular" ? ok : before("EINVAL");
  }
  if (kind === "ioctl") {
    if (file.type === "regular" || file.path.startsWith("/dev/")) return after("ENOTTY");
    return file.type === "char" && facts.devices ? after("ENOTTY") : undefined;
  }
  if (kind === "resolve_unix") {
    return facts.servers.has(file.id) ? ok : before("ECONNREFUSED");
  }
  return undefined;
}

/** Why a path leads to no directory. */
function nowhere(path: string, follows = false): Ordinary {
  try {
    (follows ? statSync : lstatSync)(path);
    return before("found after all");
  } catch (error) {
    return before((error as { code: string }).code);
  }
}

function portOutcome(
  { access: [right], port }: Extract<Operation, { kind: "port" }>,
  how: Trial["how"],
): Ordinary {
  if (right === "connect_tcp") return port === ports.served ? ok : after("ECONNREFUSED");
  if (right === "connect_send_udp") return how === "send" && port === 0 ? after("EINVAL") : ok;
  return port === ports.served ? after("EADDRINUSE") : ok;
}

/** A removed directory may still be visible in a mount, but nothing can be created in it. */
function isGone({ parents: [directory] }: Place): boolean {
  return directory !== undefined && lstatSync(directory.path).nlink === 0;
}

function openOutcome(operation: Open, file: Inode | undefined): Ordinary | undefined {
  const { write, truncate, create, unnamed } = operation;
  if (file === undefined) return create ? ok : before("ENOENT");
  if (unnamed) return file.type === "directory" ? ok : before("ENOTDIR");
  switch (file.type) {
    case "directory":
      return write || truncate || create ? before("EISDIR") : ok;
    case "regular":
      return ok;
    case "fifo":
      return write && !operation.read ? after("ENXIO") : ok;
    case "socket":
      return after("ENXIO");
    case "char":
      return file.path.startsWith("/dev/") ? ok : undefined;
    default:
      return undefined;
  }
}

function makeOutcome(
  { type }: Extract<FileOperation, { kind: "make" }>,
  how: Trial["how"],
  file: Inode | undefined,
  { devices }: Facts,
): Ordinary {
  if (file) return before(how === "bind" ? "EADDRINUSE" : "EEXIST");
  return (type === "char" || type === "block") && !devices ? after("EPERM") : ok;
}

function removeOutcome(directory: boolean, file: Inode, facts: Facts): Ordinary | undefined {
  if (!directory) return file.type === "directory" ? after("EISDIR") : ok;
  if (file.type !== "directory") return after("ENOTDIR");
  if (file.mounted) return after("EBUSY");
  if (facts.covered.has(file.id)) return undefined;
  return isEmpty(file, facts) ? ok : after("ENOTEMPTY");
}

function executeOutcome(file: Inode): Ordinary | undefined {
  // For an empty file, the kernel asks whether a module knows its format.
  if (file.type !== "regular" || statSync(file.path).size === 0) return undefined;
  return after("ENOEXEC");
}

/** Checks each possible name, because a sandboxed process may not list directories. */
function isEmpty(directory: Inode, { names }: Facts): boolean {
  return names.every(
    (name) => lstatSync(`${directory.path}/${name}`, { throwIfNoEntry: false }) === undefined,
  );
}

/** The directories from here up to the root of their mount. */
function withinMount({ parents }: Place): readonly Inode[] {
  return parents.slice(0, parents.findIndex(({ mounted }) => mounted) + 1);
}

function mountOf(place: Place): string | undefined {
  return withinMount(place).at(-1)?.path;
}

function renameOutcome(
  { to, exchange }: Extract<FileOperation, { kind: "rename" }>,
  source: Place,
  facts: Facts,
): Ordinary | undefined {
  const target = facts.files.find(to, false);
  if (source.parents.length === 0) return nowhere(source.path);
  if (target.parents.length === 0) return nowhere(to);
  if (mountOf(source) !== mountOf(target)) return before("EXDEV");
  if (source.file === undefined || (exchange && !target.file)) return before("ENOENT");
  const busy = (file: Inode | undefined) =>
    file !== undefined && (file.mounted || facts.covered.has(file.id));
  if (busy(source.file) || busy(target.file) || isGone(source) || isGone(target)) {
    return undefined;
  }
  if (withinMount(target).some(({ id }) => id === source.file!.id)) return before("EINVAL");
  if (withinMount(source).some(({ id }) => id === target.file?.id)) {
    return before(exchange ? "EINVAL" : "ENOTEMPTY");
  }
  if (exchange || !target.file || target.file.id === source.file.id) return ok;
  if (source.file.type !== "directory")
    return target.file.type === "directory" ? after("EISDIR") : ok;
  if (target.file.type !== "directory") return after("ENOTDIR");
  return isEmpty(target.file, facts) ? ok : after("ENOTEMPTY");
}

function linkOutcome(
  { to }: Extract<FileOperation, { kind: "link" }>,
  source: Place,
  facts: Facts,
): Ordinary | undefined {
  const target = facts.files.find(to, false);
  if (source.parents.length === 0) return nowhere(source.path);
  if (source.file === undefined) return before("ENOENT");
  if (target.parents.length === 0) return nowhere(to);
  if (target.file) return before("EEXIST");
  if (source.file.mounted || isGone(source) || isGone(target)) return undefined;
  if (mountOf(source) !== mountOf(target)) return before("EXDEV");
  return source.file.type === "directory" ? after("EPERM") : ok;
}
