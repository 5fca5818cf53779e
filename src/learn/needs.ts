/** From what a command did to what it needs: rights by path, programs, ports and scopes. */
import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import { makeRight, whiteoutErratum } from "../explain/request.ts";
import type { FileOperation, FileType, Open } from "../explain/operation.ts";
import { newestAbi, type FsRight, type NetRight, type Scope } from "../kernel/abi.ts";
import type { Attempt, Observation } from "../observe.ts";
import { terminals, type Places } from "./places.ts";

/** A file went from one directory to another, or got a name there. */
export interface Move {
  readonly from: string;
  readonly to: string;
}

/** What a command needs. */
export interface Needs {
  /** Rights by path: on files, or on directories for what is in them. */
  readonly paths: Map<string, Set<FsRight>>;
  /** The files that were executed, in that order, as they were named. */
  readonly programs: Set<string>;
  readonly ports: Map<NetRight, Set<number>>;
  readonly scopes: Set<Scope>;
  readonly moves: Move[];
  /** Programs whose operations on files could not be seen. */
  readonly unseen: Set<string>;
}

/** Collects the observations of a run: each operation once, however often it happened. */
export class Collector {
  readonly #attempts = new Map<string, Attempt>();
  readonly #processes: number[] = [];
  readonly #unseen = new Set<string>();
  #seen = 0;

  /** How many operations were seen. */
  get seen(): number {
    return this.#seen;
  }

  /** Takes an observation. */
  add(one: Observation): void {
    if (one.kind === "gap") this.#unseen.add(one.program ?? "the command");
    if (one.kind !== "attempt") return;
    this.#seen++;
    if (!this.#processes.includes(one.process)) this.#processes.push(one.process);
    if (!counts(one)) return;
    const operation = JSON.stringify([one.operation, one.found]);
    if (!this.#attempts.has(operation)) this.#attempts.set(operation, one);
  }

  /** What all of it comes to, once the run is over. */
  needs(places: Places): Needs {
    const needs: Needs = {
      paths: new Map(),
      programs: new Set(),
      ports: new Map(),
      scopes: new Set(),
      moves: [],
      unseen: this.#unseen,
    };
    const attempts = [...this.#attempts.values()];
    for (const { operation } of attempts) {
      if (operation.kind === "make") places.addMade(operation.path);
      else if (operation.kind === "rename" || operation.kind === "link")
        places.addMade(operation.to);
    }
    const reader = new Reader(needs, places, this.#processes);
    for (const attempt of attempts) reader.read(attempt);
    return needs;
  }
}

/** A denied or missing file needs nothing; a connection needs its right before it can fail. */
function counts({ operation, failed }: Attempt): boolean {
  if (failed === undefined) return true;
  const asked = ["port", "scope", "resolve_unix"].includes(operation.kind);
  return asked && !["EACCES", "EPERM", "ENOENT", "EINVAL", "ENOTSOCK"].includes(failed);
}

/** Of whiteouts what the newest kernels ask. */
function rightToMake(type: FileType): FsRight {
  return makeRight(type, { abi: newestAbi, errata: whiteoutErratum });
}

class Reader {
  readonly #needs: Needs;
  readonly #places: Places;
  readonly #processes: readonly number[];
  /** Paths that were directories, for those that are gone. */
  readonly #directories = new Set<string>();

  constructor(needs: Needs, places: Places, processes: readonly number[]) {
    this.#needs = needs;
    this.#places = places;
    this.#processes = processes;
  }

  read({ operation, found }: Attempt): void {
    const { ports, scopes, programs } = this.#needs;
    if (operation.kind === "scope") scopes.add(operation.scope);
    else if (operation.kind === "port") {
      for (const right of operation.access) addTo(ports, right, operation.port);
    } else if (operation.kind === "execute") {
      if (this.#places.isMade(operation.path)) this.#need(operation.path, "execute", "read_file");
      else programs.add(operation.path);
    } else if (operation.kind === "open") this.#open(operation, found ?? operation.path);
    else this.#other(operation);
  }

  /** Adds rights on a file that the next run finds there, or on the directory it will be made in. */
  #need(path: string, ...rights: FsRight[]): void {
    const target = this.#ofProcess(path) ?? this.#places.anchor(path).path;
    for (const right of rights) addTo(this.#needs.paths, target, right);
    // A terminal is asked what it is, with an ioctl(2) that its name in the trace may not show.
    if (target === terminals) addTo(this.#needs.paths, target, "ioctl_dev");
  }

  /**
   * The directory of the command's own process keeps its name, for the policy is loaded in it;
   * those of others get new ones, and only all of `/proc` has them all.
   */
  #ofProcess(path: string): string | undefined {
    const pid = /^\/proc\/(\d+)(?=\/|$)/.exec(path)?.[1];
    if (pid === undefined) return undefined;
    return Number(pid) === this.#processes[0] ? "/proc/self" : "/proc";
  }

  #open({ read, write, create, unnamed }: Open, path: string): void {
    const gone = lstatSync(path, { throwIfNoEntry: false }) === undefined;
    const { type, instead } = this.#places.anchor(path);
    const isDirectory = !unnamed && (instead ? isDirectoryNow(path) : type === "directory");
    if (isDirectory) this.#directories.add(path);
    if (read) this.#need(path, isDirectory ? "read_dir" : "read_file");
    // What it was cannot be told any more.
    if (read && gone && !write) this.#need(path, "read_dir");
    // ftruncate(2) needs its right when the file is opened.
    if (write) this.#need(path, "write_file", ...(type === "device" ? [] : ["truncate" as const]));
    if (create && instead) this.#need(dirname(path), "make_reg");
  }

  #other(operation: Exclude<FileOperation, Open | { kind: "execute" }>): void {
    const { kind, path } = operation;
    if (kind === "make") {
      if (operation.type === "directory") this.#directories.add(path);
      this.#need(dirname(path), rightToMake(operation.type));
    } else if (kind === "remove") {
      this.#need(dirname(path), operation.directory ? "remove_dir" : "remove_file");
    } else if (kind === "truncate") this.#need(path, "truncate");
    else if (kind === "ioctl") this.#need(path, "ioctl_dev");
    else if (kind === "resolve_unix") this.#need(path, "resolve_unix");
    else if (kind === "access") this.#need(path, ...operation.access);
    else this.#move(operation);
  }

  #move(operation: Extract<FileOperation, { kind: "rename" | "link" }>): void {
    const { kind, path, to } = operation;
    const type = this.#typeOf(path, to);
    const from = this.#places.anchor(dirname(path)).path;
    const target = this.#places.anchor(dirname(to)).path;
    const remove = type === "directory" ? "remove_dir" : "remove_file";
    if (type === "directory") this.#directories.add(to);
    if (kind === "rename") {
      this.#need(from, remove);
      // The next run finds a file there that this one may have made.
      this.#need(target, remove);
      if (operation.exchange) this.#need(from, rightToMake(type));
    }
    this.#need(target, rightToMake(type));
    if (dirname(path) === dirname(to)) return;
    this.#need(from, "refer");
    this.#need(target, "refer");
    this.#needs.moves.push({ from, to: target });
    if (operation.kind === "rename" && operation.exchange) {
      this.#needs.moves.push({ from: target, to: from });
    }
  }

  #typeOf(path: string, to: string): FileType {
    if (this.#directories.has(path)) return "directory";
    const stats = lstatSync(to, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink()) return "symlink";
    return stats?.isDirectory() ? "directory" : "regular";
  }
}

function isDirectoryNow(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function addTo<Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const known = map.get(key);
  if (known) known.add(value);
  else map.set(key, new Set([value]));
}
