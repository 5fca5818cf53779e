/**
 * Follows the threads of a run: which process each belongs to, its current directory, the program
 * it executes, and how often it was restricted. From lines to observations.
 */
import type { Operation } from "../explain/operation.ts";
import { realPath } from "../kernel/names.ts";
import { fieldOf, flagsOf, join, openOn, pathAt } from "./arguments.ts";
import { fileOperation, foundBy, takesTerminal } from "./calls.ts";
import type { Call, Line } from "./line.ts";
import type { Ending, Observation } from "./observation.ts";
import { otherOperations, type Inside } from "./sockets.ts";

/** What threads may share: `CLONE_FS` of clone(2). */
interface Folder {
  cwd: string;
}

interface Process {
  readonly pid: number;
  program: string | undefined;
  readonly tasks: Set<Task>;
}

interface Task {
  readonly pid: number;
  process: Process;
  folder: Folder;
  layers: number;
}

const clones = ["clone", "clone3", "fork", "vfork"];

/** Calls that are followed for what they say about later ones. */
export const followedCalls: readonly string[] = [
  ...clones,
  ...["chdir", "fchdir", "unshare", "landlock_restrict_self", "io_uring_setup"],
];

/** `LANDLOCK_RESTRICT_SELF_TSYNC` of `linux/landlock.h`. */
const tsync = 8;

/** Turns the lines of one run into observations. */
export class Tasks implements Inside {
  readonly #tasks = new Map<number, Task>();
  /** Numbers of all that ever ran: signals to one that has ended stay inside too. */
  readonly #known = new Set<number>();
  /** Lines of threads whose parent's call has not returned yet, in their order. */
  readonly #orphans = new Map<number, Line[]>();
  readonly #servers = new Set<string>();
  /** Devices that the run opened: Landlock lets ioctl(2) through on those it inherited. */
  readonly #devices = new Set<string>();
  readonly #cwd: string;
  #ending: Ending | undefined;

  /** @param cwd The current directory of the command */
  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  /** The number of the command's own process, once it has started. */
  get first(): number | undefined {
    return this.#known.values().next().value;
  }

  /** How the command's own process ended. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Whether the command's own process has ended. */
  get isOver(): boolean {
    return this.#ending !== undefined;
  }

  /** The numbers of all processes that run. */
  get running(): number[] {
    return [...new Set([...this.#tasks.values()].map(({ process }) => process.pid))];
  }

  /** Whether a process or thread is, or was, part of the run. */
  hasTask(pid: number): boolean {
    return this.#known.has(pid);
  }

  /** Remembers the address of a socket that the run bound. */
  addServer(address: string): void {
    this.#servers.add(address);
  }

  /** Whether the run bound a socket to an address. */
  hasServer(address: string): boolean {
    return this.#servers.has(address);
  }

  /** What a line tells; of a new thread, once it is known where it comes from. */
  *follow(line: Line): Generator<Observation> {
    if (this.#known.size === 0) this.#add(line.pid, undefined, []);
    const task = this.#tasks.get(line.pid);
    if (task === undefined) {
      const waiting = this.#orphans.get(line.pid);
      if (waiting) waiting.push(line);
      else this.#orphans.set(line.pid, [line]);
      return;
    }
    if (line.kind === "ended") {
      this.#remove(task);
      if (line.pid === this.first) this.#ending = line.ending;
    } else if (line.kind === "renamed") this.#rename(line.pid, line.was);
    else if (line.kind === "call") yield* this.#call(line, task);
  }

  /** What is left at the end: threads whose parent was killed while it started them. */
  *finish(): Generator<Observation> {
    for (const pid of [...this.#orphans.keys()]) yield* this.#adopt(pid, undefined, []);
  }

  #add(pid: number, parent: Task | undefined, flags: readonly string[]): Task {
    const process: Process =
      parent && flags.includes("CLONE_THREAD")
        ? parent.process
        : { pid, program: parent?.process.program, tasks: new Set() };
    const shared = parent && flags.includes("CLONE_FS");
    const folder = shared ? parent.folder : { cwd: parent?.folder.cwd ?? this.#cwd };
    const task = { pid, process, folder, layers: parent?.layers ?? 0 };
    process.tasks.add(task);
    this.#tasks.set(pid, task);
    this.#known.add(pid);
    return task;
  }

  #remove(task: Task): void {
    task.process.tasks.delete(task);
    this.#tasks.delete(task.pid);
  }

  /** execve(2) of any thread ends all others, and it takes the number of the first one. */
  #rename(pid: number, was: number): void {
    const task = this.#tasks.get(was);
    if (!task) return;
    for (const other of [...task.process.tasks]) this.#remove(other);
    const { layers, folder, process } = task;
    const renamed = { pid, process, folder, layers };
    process.tasks.add(renamed);
    this.#tasks.set(pid, renamed);
  }

  *#adopt(pid: number, parent: Task | undefined, flags: readonly string[]): Generator<Observation> {
    const old = this.#tasks.get(pid);
    if (old) this.#remove(old);
    this.#add(pid, parent, flags);
    const lines = this.#orphans.get(pid) ?? [];
    this.#orphans.delete(pid);
    for (const line of lines) yield* this.follow(line);
  }

  *#call(call: Call, task: Task): Generator<Observation> {
    this.#refresh(call, task);
    const { process, layers } = task;
    const here = { cwd: task.folder.cwd, process: process.pid, pid: task.pid };
    for (const operation of operationsOf(call, here, this)) {
      if (operation.kind === "ioctl" && !this.#devices.has(operation.path)) continue;
      const found = foundBy(call);
      if (found !== undefined && isDevice(call)) this.#devices.add(found);
      yield {
        kind: "attempt",
        pid: task.pid,
        process: process.pid,
        program: process.program,
        call: call.name,
        operation,
        ...(call.errno === undefined ? {} : { failed: call.errno }),
        ...(found === undefined ? {} : { found }),
        layers,
      };
    }
    if (call.errno === undefined) yield* this.#happened(call, task);
  }

  /** strace shows where `AT_FDCWD` is, which is truer than what was made of chdir(2). */
  #refresh({ args }: Call, task: Task): void {
    for (const value of args) {
      if (value.type === "word" && value.word === "AT_FDCWD" && value.on) {
        task.folder.cwd = value.on.name;
      }
    }
  }

  *#happened(call: Call, task: Task): Generator<Observation> {
    const { name, args } = call;
    const { process, pid } = task;
    const here = { cwd: task.folder.cwd, process: process.pid, pid };
    if (name === "chdir") task.folder.cwd = real(pathAt(call, 0, here) ?? here.cwd);
    else if (name === "fchdir") task.folder.cwd = openOn(args[0]) ?? here.cwd;
    else if (name === "unshare") {
      if (flagsOf(args[0]).includes("CLONE_FS")) task.folder = { ...task.folder };
    } else if (name === "execve" || name === "execveat") {
      process.program = pathAt(
        call,
        name === "execve" ? 0 : 1,
        here,
        name === "execve" ? undefined : 0,
      );
      task.folder = { ...task.folder };
    } else if (name === "landlock_restrict_self") {
      const layers = task.layers + 1;
      for (const one of isForAll(call) ? process.tasks : [task]) one.layers = layers;
      yield { kind: "restriction", pid, process: process.pid, restricted: true };
    } else if (takesTerminal(call)) {
      yield { kind: "terminal", pid };
    } else if (name === "io_uring_setup") {
      yield { kind: "gap", pid, program: process.program, reason: "io_uring" };
    } else if (clones.includes(name)) {
      const child = call.result.type === "word" ? Number(call.result.word) : 0;
      const flags = flagsOf(call.fields.get("flags") ?? fieldOf(args[0], "flags"));
      if (child > 0) yield* this.#adopt(child, task, flags);
    }
  }
}

function operationsOf(
  call: Call,
  here: Parameters<typeof fileOperation>[1],
  inside: Inside,
): readonly Operation[] {
  const onFile = fileOperation(call, here);
  return onFile ? [onFile] : otherOperations(call, here, inside);
}

function isForAll({ args }: Call): boolean {
  const [flag = ""] = flagsOf(args[1]);
  return (Number(flag) & tsync) !== 0 || flag.endsWith("TSYNC");
}

function isDevice({ result }: Call): boolean {
  return result.type === "word" && result.on?.device !== undefined;
}

/** The way without symbolic links, as long as it exists. */
function real(path: string): string {
  try {
    return realPath(path);
  } catch {
    return join("/", path);
  }
}
