/** Derives what a command needs from what it did: rights by path, programs, ports and scopes. */
import { makeRight, whiteoutErratum } from "../model/request.ts";
import type { FileOperation, FileType, Open, Operation } from "../model/operation.ts";
import { fileRights, newestAbi, type FsRight, type NetRight, type Scope } from "../kernel/abi.ts";
import { parentOf } from "../kernel/names.ts";
import type { Attempt } from "../trace/observation.ts";
import { rwDirs } from "../sandbox/rules.ts";
import { terminals } from "./changing.ts";
import { statsOf } from "./stats.ts";
import type { Places } from "./places.ts";
import { rightsToUse, secretName } from "./secret-uses.ts";
import type { Surroundings } from "./zones.ts";

/** The parts of a run's surroundings that matter here. */
export type Around = Pick<Surroundings, "secrets" | "governing">;

/** A file was moved or linked from one directory to another. */
export interface Move {
  readonly from: string;
  readonly to: string;
  /** Whether it is a directory. Other files can only gain file rights. */
  readonly directory: boolean;
  /** Whether the file also keeps its old name. */
  readonly link: boolean;
}

/** What a command needs. */
export interface Needs {
  /** Rights by path: on a file, or on a directory and its entries. */
  readonly paths: Map<string, Set<FsRight>>;
  /** Those directories that the run made. The next run finds them if a rule makes them. */
  readonly created: Set<string>;
  /**
   * Files that the run made and left, with the rights that they need, by the directory that is
   * granted for them.
   */
  readonly left: Map<string, Map<string, Set<FsRight>>>;
  /**
   * Secrets, under the name that reveals them. Directories needed to move or link them aren't
   * granted.
   */
  readonly secrets: Map<string, Set<FsRight>>;
  /** What was made in places that decide what runs later, by place. */
  readonly later: Map<string, Set<FsRight>>;
  /**
   * Files of single processes in `/proc`, such as `/proc/PID/comm`. The next run has other process
   * ids.
   */
  readonly processes: Map<string, Set<FsRight>>;
  /** Rights used on terminals. The next run has other terminal numbers. */
  readonly terminals: Set<FsRight>;
  /** The executed files in order, under the names that were used. */
  readonly programs: Set<string>;
  /** Whether an earlier program was Bun. */
  readonly bun: boolean;
  readonly ports: Map<NetRight, Set<number>>;
  /** Ports that the kernel picked. The next run gets others. */
  readonly picked: Readonly<Record<"tcp" | "udp", ReadonlySet<number>>>;
  readonly scopes: Set<Scope>;
  readonly moves: Move[];
  /** Programs whose file operations could not be observed. */
  readonly unseen: Set<string>;
  /** Paths that the run changed after using them, so where they led is unknown. */
  readonly changed: Map<string, Set<FsRight>>;
  /** Calls that no policy can allow. */
  readonly barred: Set<string>;
}

/** The needs of a run that did nothing. */
export function noNeeds(): Needs {
  return {
    paths: new Map(),
    created: new Set(),
    left: new Map(),
    secrets: new Map(),
    later: new Map(),
    processes: new Map(),
    terminals: new Set(),
    programs: new Set(),
    bun: false,
    ports: new Map(),
    picked: { tcp: new Set(), udp: new Set() },
    scopes: new Set(),
    moves: [],
    unseen: new Set(),
    changed: new Map(),
    barred: new Set(),
  };
}

/**
 * What the denied operations of a run need.
 *
 * @param operations Their paths in /proc use `/proc/self` for the process that was restricted first
 * @param bun Whether one of the programs is Bun
 */
export function needsOfDenied(
  operations: readonly Operation[],
  places: Places,
  around: Around,
  bun: boolean,
): Needs {
  const attempts = operations.map((operation): Seen => ({ operation, program: undefined }));
  learnNames(attempts, places, around);
  const needs: Needs = { ...noNeeds(), bun };
  const reader = new Reader(needs, places, [], around);
  for (const attempt of attempts) reader.read(attempt);
  return needs;
}

/** What is known about a call. */
type Seen = Pick<Attempt, "operation" | "found" | "program">;

/**
 * Records names that the run made, removed, or used for secrets. Must see all operations before
 * `Reader`.
 */
export function learnNames(attempts: readonly Seen[], places: Places, around: Around): void {
  const { secrets, governing } = around;
  for (const { operation } of attempts) {
    if (operation.kind === "make") {
      places.addMade(operation.path, operation.type === "directory");
    } else if (operation.kind === "remove") places.addGone(operation.path);
    else if (operation.kind === "rename" || operation.kind === "link") {
      places.addMade(operation.to);
      if (operation.kind === "rename") places.addGone(operation.path);
    }
  }
  // A file that had a secret name is secret under its new name too.
  for (const { operation, found } of attempts) {
    if (!("path" in operation)) continue;
    const to = "to" in operation ? operation.to : undefined;
    if (secretName(secrets, operation, found) !== undefined)
      secrets.add(to ?? found ?? operation.path);
    governing.follow(operation.path);
    if (to !== undefined) governing.follow(to);
  }
}

/** The right that the newest kernels require, also for whiteouts. */
function rightToMake(type: FileType): FsRight {
  return makeRight(type, { abi: newestAbi, errata: whiteoutErratum });
}

/** Adds up what operations need. */
export class Reader {
  readonly #needs: Needs;
  readonly #places: Places;
  readonly #processes: readonly number[];
  readonly #around: Around;
  /** Paths that were directories, to recognize removed ones. */
  readonly #directories = new Set<string>();

  /**
   * @param needs The needs to add to
   * @param processes The ids of the run's processes, starting with the first one
   */
  constructor(needs: Needs, places: Places, processes: readonly number[], around: Around) {
    this.#around = around;
    this.#needs = needs;
    this.#places = places;
    this.#processes = processes;
  }

  /** Adds the needs of one operation. */
  read({ operation, found, program }: Seen): void {
    const { ports, scopes, programs } = this.#needs;
    if (operation.kind === "scope") scopes.add(operation.scope);
    else if (operation.kind === "port") {
      for (const right of operation.access) addTo(ports, right, operation.port);
    } else if (operation.kind === "execute") {
      const path = /^\/proc\/\d+\/exe$/.test(operation.path)
        ? (program ?? operation.path)
        : operation.path;
      // The name of a file that was executed through its descriptor is useless for the next run.
      if (isOpenObject(path)) return;
      const anchor = this.#places.anchor(path);
      if (anchor.instead || anchor.made) this.#need(path, "execute", "read_file");
      else programs.add(path);
    } else if (this.#isSecret(operation, found)) {
      return;
    } else if (operation.kind === "open") {
      // Pipes and sockets have no path, and need no right.
      if (found === undefined && isOpenObject(operation.path)) return;
      // Stands for a terminal that was opened by its number: ioctl_tty(2), TIOCGPTPEER.
      const isNumbered = operation.path === `${terminals}/ptmx`;
      this.#open(operation, found ?? (isNumbered ? `${terminals}/0` : operation.path));
    } else this.#other(operation);
  }

  /** Records the use of a secret under the name that reveals it, which may be a link's. */
  #isSecret(operation: Exclude<FileOperation, { kind: "execute" }>, found?: string): boolean {
    const name = secretName(this.#around.secrets, operation, found);
    if (name === undefined) return false;
    for (const right of rightsToUse(operation, found ?? operation.path))
      addTo(this.#needs.secrets, name, right);
    return ["open", "truncate", "ioctl", "resolve_unix", "access", "rename", "link"].includes(
      operation.kind,
    );
  }

  /** Adds rights on a file that the next run finds, or on the directory where it will be made. */
  #need(path: string, ...rights: FsRight[]): void {
    const { paths, created, processes } = this.#needs;
    const process = this.#ofProcess(path);
    if (isTerminal(path)) {
      for (const right of rights) this.#needs.terminals.add(right);
      return;
    }
    if (process !== undefined && (process !== "/proc/self" || rights.includes("write_file"))) {
      const name = process === "/proc/self" ? lastingName(path, process) : process;
      for (const right of rights) addTo(processes, name, right);
      return;
    }
    const anchor = this.#places.anchor(path);
    // Don't grant the whole directory for it.
    if ((anchor.instead || anchor.made) && this.#around.governing.has(path)) {
      return this.#addLater(path, rights);
    }
    const target = process ?? anchor.path;
    if (process === undefined && anchor.made) {
      created.add(target);
      // The next run finds what this one left, and may remove or replace it.
      for (const right of rwDirs("/").access) addTo(paths, target, right);
    }
    for (const right of rights) addTo(paths, target, right);
    if (process === undefined && anchor.instead) this.#leave(path, target, rights);
  }

  /** Adds rights to make, remove or replace an entry of a directory. */
  #needIn(path: string, ...rights: FsRight[]): void {
    if (this.#around.governing.hasEntry(path)) this.#addLater(path, rights);
    else this.#need(parentOf(path), ...rights);
  }

  #addLater(path: string, rights: readonly FsRight[]): void {
    const place = this.#around.governing.placeOf(path);
    for (const right of rights) addTo(this.#needs.later, place, right);
  }

  /** Records a regular file that the run made and left. */
  #leave(path: string, directory: string, rights: readonly FsRight[]): void {
    const { left } = this.#needs;
    if (!rights.every((right) => fileRights.includes(right))) return;
    if (!statsOf(path)?.isFile()) return;
    const files = left.get(directory) ?? new Map<string, Set<FsRight>>();
    left.set(directory, files);
    for (const right of rights) addTo(files, path, right);
  }

  /**
   * The lasting name of a process's directory in /proc. The policy is loaded in the command's own
   * process, so that one is `/proc/self`. Others get new ids.
   */
  #ofProcess(path: string): string | undefined {
    const [, pid] = /^\/proc\/(\d+|self)(\/|$)/.exec(path) ?? [];
    if (pid === undefined) return undefined;
    if (pid === "self" || Number(pid) === this.#processes[0]) return "/proc/self";
    return lastingName(path, "/proc/PID");
  }

  #open({ read, write, create, unnamed }: Open, path: string): void {
    const gone = statsOf(path) === undefined;
    const { type, instead } = this.#places.anchor(path);
    const isDirectory =
      !unnamed && (instead ? (statsOf(path)?.isDirectory() ?? false) : type === "directory");
    if (isDirectory) this.#directories.add(path);
    if (read) this.#need(path, isDirectory ? "read_dir" : "read_file");
    // A removed path may have been a directory.
    if (read && gone && !write) this.#need(path, "read_dir");
    const isDevice = type === "device" || isTerminal(path);
    // ftruncate(2) needs its right when the file is opened.
    if (write) this.#need(path, "write_file", ...(isDevice ? [] : ["truncate" as const]));
    // Files in /proc are never made. They only seem new because the process has ended.
    const isMade = create && instead && !path.startsWith("/proc/") && !isTerminal(path);
    if (isMade) this.#needIn(path, "make_reg");
  }

  #other(operation: Exclude<FileOperation, Open | { kind: "execute" }>): void {
    const { kind, path } = operation;
    if (kind === "make") {
      if (operation.type === "directory") this.#directories.add(path);
      if (operation.type === "directory" && this.#places.isRemade(path)) this.#recreate(path);
      else this.#needIn(path, rightToMake(operation.type));
    } else if (kind === "remove") {
      this.#needIn(path, operation.directory ? "remove_dir" : "remove_file");
    } else if (kind === "truncate") this.#need(path, "truncate");
    else if (kind === "ioctl") this.#need(path, "ioctl_dev");
    else if (kind === "resolve_unix") this.#need(path, "resolve_unix");
    else if (kind === "access") this.#need(path, ...operation.access);
    else this.#move(operation);
  }

  /** A directory that a rule makes needs no right to be made, and neither do its parents. */
  #recreate(path: string): void {
    if (this.#places.anchor(path).made) this.#need(path);
    // Nothing was made in a shared directory yet, so no rule makes it along the way.
    else if (this.#places.isDenied) this.#needIn(path, "make_dir");
  }

  #move(operation: Extract<FileOperation, { kind: "rename" | "link" }>): void {
    const { kind, path, to } = operation;
    const type = this.#typeOf(path, to);
    const [source, destination] = [parentOf(path), parentOf(to)];
    const from = this.#places.anchor(source).path;
    const target = this.#places.anchor(destination).path;
    const remove = type === "directory" ? "remove_dir" : "remove_file";
    if (type === "directory") this.#directories.add(to);
    if (kind === "rename") {
      this.#needIn(path, remove);
      // The next run may find a file there that this run made.
      this.#needIn(to, remove);
      if (operation.exchange) this.#needIn(path, rightToMake(type));
    }
    this.#needIn(to, rightToMake(type));
    if (source === destination) return;
    const link = kind === "link";
    // It is decided later whether a link needs rights on its source directory.
    if (!link) this.#need(source, "refer");
    this.#need(destination, "refer");
    const directory = type === "directory";
    this.#needs.moves.push({ from, to: target, directory, link });
    if (operation.kind === "rename" && operation.exchange) {
      this.#needs.moves.push({ from: target, to: from, directory: true, link });
    }
  }

  #typeOf(path: string, to: string): FileType {
    if (this.#directories.has(path)) return "directory";
    const stats = statsOf(to);
    if (stats?.isSymbolicLink()) return "symlink";
    return stats?.isDirectory() ? "directory" : "regular";
  }
}

/** A process's file in `/proc`, under a name that is the same in each run. */
function lastingName(path: string, process: string): string {
  return process + path.replace(/^\/proc\/(\d+|self)/, "").replace(/^\/task\/\d+/, "/task/TID");
}

/** Whether a path stands for an open file of a process: `proc_pid_fd(5)`. */
function isOpenObject(path: string): boolean {
  return /^(\/proc\/\d+(\/task\/\d+)?\/fd\/\d+|\/dev\/(fd\/\d+|std(in|out|err)))$/.test(path);
}

function isTerminal(path: string): boolean {
  return /^\/dev\/pts\/\d+$/.test(path);
}

/** Adds a value to the set of a key. */
export function addTo<Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const known = map.get(key);
  if (known) known.add(value);
  else map.set(key, new Set([value]));
}
