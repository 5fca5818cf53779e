/** From what a command did to what it needs: rights by path, programs, ports and scopes. */
import { makeRight, whiteoutErratum } from "../model/request.ts";
import type { FileOperation, FileType, Open, Operation } from "../model/operation.ts";
import { fileRights, newestAbi, type FsRight, type NetRight, type Scope } from "../kernel/abi.ts";
import { parentOf } from "../kernel/names.ts";
import type { Attempt } from "../trace/observation.ts";
import { rwDirs } from "../sandbox/rules.ts";
import { terminals } from "./changing.ts";
import { governingPlace, isGoverning } from "./governing.ts";
import { statsOf } from "./stats.ts";
import type { Places } from "./places.ts";
import { rightsToUse, secretName } from "./secret-uses.ts";
import type { Surroundings } from "./zones.ts";

/** What has to be known of the surroundings of a run. */
export type Around = Pick<Surroundings, "home" | "secrets">;

/** A file went from one directory to another, or got a name there. */
export interface Move {
  readonly from: string;
  readonly to: string;
  /** Rights on files are all that others than directories can gain. */
  readonly directory: boolean;
  /** Whether the file keeps its old name too. */
  readonly link: boolean;
}

/** What a command needs. */
export interface Needs {
  /** Rights by path: on files, or on directories for what is in them. */
  readonly paths: Map<string, Set<FsRight>>;
  /** Directories among them that the run made, and that the next one finds if a rule makes them. */
  readonly created: Set<string>;
  /** Files that the run made and left, and what they need, by the directory that stands for them. */
  readonly left: Map<string, Map<string, Set<FsRight>>>;
  /**
   * Secrets, by the name that tells that they are. Where they were moved or linked, the directories
   * that takes are not granted for them.
   */
  readonly secrets: Map<string, Set<FsRight>>;
  /** What was made where it decides what runs later, by that place. */
  readonly later: Map<string, Set<FsRight>>;
  /** What `/proc` says of single processes, as `/proc/PID/comm`: the next run has others. */
  readonly processes: Map<string, Set<FsRight>>;
  /** What was done with terminals by their numbers: the next run has others. */
  readonly terminals: Set<FsRight>;
  /** The files that were executed, in that order, as they were named. */
  readonly programs: Set<string>;
  /** Whether a program that ran before is a Bun. */
  readonly bun: boolean;
  readonly ports: Map<NetRight, Set<number>>;
  /** Ports that the kernel picked: the next run has others. */
  readonly picked: Readonly<Record<"tcp" | "udp", ReadonlySet<number>>>;
  readonly scopes: Set<Scope>;
  readonly moves: Move[];
  /** Programs whose operations on files could not be seen. */
  readonly unseen: Set<string>;
  /** Paths that the run led elsewhere after it used them: where they led cannot be told. */
  readonly changed: Map<string, Set<FsRight>>;
  /** Calls that no policy can allow. */
  readonly barred: Set<string>;
}

/** What a run needs that did nothing. */
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
 * What operations need that were denied to a run.
 *
 * @param operations Their paths in /proc are `/proc/self` for the process that was restricted first
 * @param bun Whether one of its programs is a Bun
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

/** What is known of a call. */
type Seen = Pick<Attempt, "operation" | "found" | "program">;

/** Which names were made and taken away, and which of them are those of secrets: all of them first. */
export function learnNames(attempts: readonly Seen[], places: Places, { secrets }: Around): void {
  for (const { operation } of attempts) {
    if (operation.kind === "make") {
      places.addMade(operation.path, operation.type === "directory");
    } else if (operation.kind === "remove") places.addGone(operation.path);
    else if (operation.kind === "rename" || operation.kind === "link") {
      places.addMade(operation.to);
      if (operation.kind === "rename") places.addGone(operation.path);
    }
  }
  // What was used by another name before is as secret.
  for (const { operation, found } of attempts) {
    if (!("path" in operation)) continue;
    const to = "to" in operation ? operation.to : undefined;
    if (secretName(secrets, operation, found) !== undefined)
      secrets.add(to ?? found ?? operation.path);
  }
}

/** Of whiteouts what the newest kernels ask. */
function rightToMake(type: FileType): FsRight {
  return makeRight(type, { abi: newestAbi, errata: whiteoutErratum });
}

/** Reads what operations need. */
export class Reader {
  readonly #needs: Needs;
  readonly #places: Places;
  readonly #processes: readonly number[];
  readonly #around: Around;
  /** Paths that were directories, for those that are gone. */
  readonly #directories = new Set<string>();

  /**
   * @param needs What is filled
   * @param processes The numbers of the run's processes, the first one first
   */
  constructor(needs: Needs, places: Places, processes: readonly number[], around: Around) {
    this.#around = around;
    this.#needs = needs;
    this.#places = places;
    this.#processes = processes;
  }

  /** Adds what one operation needs. */
  read({ operation, found, program }: Seen): void {
    const { ports, scopes, programs } = this.#needs;
    if (operation.kind === "scope") scopes.add(operation.scope);
    else if (operation.kind === "port") {
      for (const right of operation.access) addTo(ports, right, operation.port);
    } else if (operation.kind === "execute") {
      const path = /^\/proc\/\d+\/exe$/.test(operation.path)
        ? (program ?? operation.path)
        : operation.path;
      // What is executed by its descriptor has no name that the next run would use.
      if (isOpenObject(path)) return;
      const anchor = this.#places.anchor(path);
      if (anchor.instead || anchor.made) this.#need(path, "execute", "read_file");
      else programs.add(path);
    } else if (this.#isSecret(operation, found)) {
      return;
    } else if (operation.kind === "open") {
      // Without a place of its own, as a pipe or a socket, nothing is asked.
      if (found === undefined && isOpenObject(operation.path)) return;
      // That stands for a terminal which was opened by its number: ioctl_tty(2), TIOCGPTPEER.
      const isNumbered = operation.path === `${terminals}/ptmx`;
      this.#open(operation, found ?? (isNumbered ? `${terminals}/0` : operation.path));
    } else this.#other(operation);
  }

  /** Remembers a secret that was used, by the name that tells, which a link may have. */
  #isSecret(operation: Exclude<FileOperation, { kind: "execute" }>, found?: string): boolean {
    const name = secretName(this.#around.secrets, operation, found);
    if (name === undefined) return false;
    for (const right of rightsToUse(operation, found ?? operation.path))
      addTo(this.#needs.secrets, name, right);
    return ["open", "truncate", "ioctl", "resolve_unix", "access", "rename", "link"].includes(
      operation.kind,
    );
  }

  /** Adds rights on a file that the next run finds there, or on the directory it will be made in. */
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
    // Its directory is not granted for it.
    if ((anchor.instead || anchor.made) && isGoverning(path, this.#around.home)) {
      return this.#addLater(path, rights);
    }
    const target = process ?? anchor.path;
    if (process === undefined && anchor.made) {
      created.add(target);
      // The next run finds there what this one left, and may remove or replace it.
      for (const right of rwDirs("/").access) addTo(paths, target, right);
    }
    for (const right of rights) addTo(paths, target, right);
    if (process === undefined && anchor.instead) this.#leave(path, target, rights);
  }

  /** Adds rights to make, remove or replace an entry of a directory. */
  #needIn(path: string, ...rights: FsRight[]): void {
    if (isGoverning(path, this.#around.home)) this.#addLater(path, rights);
    else this.#need(parentOf(path), ...rights);
  }

  #addLater(path: string, rights: readonly FsRight[]): void {
    const place = governingPlace(path, this.#around.home);
    for (const right of rights) addTo(this.#needs.later, place, right);
  }

  /** Remembers a file that the run made and left, if it is a plain one. */
  #leave(path: string, directory: string, rights: readonly FsRight[]): void {
    const { left } = this.#needs;
    if (!rights.every((right) => fileRights.includes(right))) return;
    if (!statsOf(path)?.isFile()) return;
    const files = left.get(directory) ?? new Map<string, Set<FsRight>>();
    left.set(directory, files);
    for (const right of rights) addTo(files, path, right);
  }

  /**
   * The directory of the command's own process keeps its name, for the policy is loaded in it;
   * those of others get new ones.
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
    // What it was cannot be told any more.
    if (read && gone && !write) this.#need(path, "read_dir");
    const isDevice = type === "device" || isTerminal(path);
    // ftruncate(2) needs its right when the file is opened.
    if (write) this.#need(path, "write_file", ...(isDevice ? [] : ["truncate" as const]));
    // Nothing is ever made in /proc: the process is gone.
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

  /** A directory that a rule makes, or that comes with one in it, needs no right to be made. */
  #recreate(path: string): void {
    if (this.#places.anchor(path).made) this.#need(path);
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
      // The next run finds a file there that this one may have made.
      this.#needIn(to, remove);
      if (operation.exchange) this.#needIn(path, rightToMake(type));
    }
    this.#needIn(to, rightToMake(type));
    if (source === destination) return;
    const link = kind === "link";
    // What a link takes of the directory that it leads out of is decided once all is known.
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

/** What `/proc` says of one process, by a name that is the same each time. */
function lastingName(path: string, process: string): string {
  return process + path.replace(/^\/proc\/(\d+|self)/, "").replace(/^\/task\/\d+/, "/task/TID");
}

/** Whether a path stands for what a process has open, whatever that is: `proc_pid_fd(5)`. */
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
