/**
 * Follows the threads of a run and turns lines into observations. It tracks each thread's process,
 * current directory, program and number of layers.
 */
import type { Operation } from "../model/operation.ts";
import { isWithin, knownRealPath, lastName, parentOf } from "../kernel/names.ts";
import { addressesOf, fieldOf, flagsOf, openOn, pathAt, textAt, type Here } from "./arguments.ts";
import { barredBy, barredCalls } from "./barred.ts";
import { fileOperation, foundBy, takesTerminal } from "./calls.ts";
import type { Call, Line } from "./line.ts";
import { join, openLocation, targetFrom, type Viewer } from "./objects.ts";
import type { Ending, Observation } from "./observation.ts";
import { otherOperations, type Inside } from "./sockets.ts";
import type { Target } from "./value.ts";

/** State that threads may share with `CLONE_FS` of clone(2). */
interface Folder {
  cwd: string;
  /** Undefined if it's unknown because the process has other mounts than this one. */
  root: string | undefined;
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
  /** What its descriptors were last seen open on; shared by `CLONE_FILES`. */
  files: Map<number, Target>;
  layers: number;
  /** Whether it may have changed its user, so that other ordinary permissions apply. */
  isOther: boolean;
}

/** Calls that change the user or the groups of a thread. */
const identityCalls = [
  ...["setuid", "setreuid", "setresuid", "setfsuid"],
  ...["setgid", "setregid", "setresgid", "setfsgid", "setgroups"],
];

const clones = ["clone", "clone3", "fork", "vfork"];

/** Calls that are traced because later calls depend on them. */
export const followedCalls: readonly string[] = [
  ...clones,
  ...barredCalls,
  ...["chdir", "fchdir", "chroot", "setns", "unshare"],
  ...identityCalls,
  ...["dup2", "dup3", "landlock_restrict_self", "io_uring_setup", "getsockname"],
];

/** `LANDLOCK_RESTRICT_SELF_TSYNC` of `linux/landlock.h`. */
const tsync = 8;

/**
 * The pipe and processes that make the trace. A command with access to them can forge observations.
 */
export interface Tracing {
  /** The name of the pipe, such as `"pipe:[7]"`. */
  readonly pipe: string;
  readonly processes: readonly number[];
}

/** Turns the lines of one run into observations. */
export class Tasks implements Inside {
  readonly #tasks = new Map<number, Task>();
  /**
   * Every process and thread id of the run. A signal to an ended one is still inside the sandbox.
   */
  readonly #known = new Set<number>();
  /** Lines of threads whose parent's call hasn't returned yet, in order. */
  readonly #orphans = new Map<number, Line[]>();
  readonly #servers = new Set<string>();
  /** Devices that the run opened. Landlock allows ioctl(2) on inherited ones. */
  readonly #devices = new Set<string>();
  readonly #cwd: string;
  readonly #inherited: ReadonlyMap<number, Target>;
  #ending: Ending | undefined;
  /** Set as soon as it is known. */
  tracing: Tracing = { pipe: "", processes: [] };

  /**
   * @param cwd The current directory of the command
   * @param inherited What its descriptors are open on
   */
  constructor(cwd: string, inherited: ReadonlyMap<number, Target> = new Map()) {
    this.#cwd = cwd;
    this.#inherited = inherited;
  }

  /** The id of the command's own process, once it has started. */
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

  /** The ids of all running processes. */
  get running(): number[] {
    return [...new Set([...this.#tasks.values()].map(({ process }) => process.pid))];
  }

  /** Whether a process or thread is or was part of the run. */
  hasTask(pid: number): boolean {
    return this.#known.has(pid);
  }

  /** Records the address of a socket that the run bound. */
  addServer(address: string): void {
    this.#servers.add(address);
  }

  /** Whether the run bound a socket to an address. */
  hasServer(address: string): boolean {
    return this.#servers.has(address);
  }

  /** The observations from a line. A new thread's lines are kept until its parent is known. */
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

  /** Handles the threads whose parent was killed while it started them. */
  *finish(): Generator<Observation> {
    for (const pid of [...this.#orphans.keys()]) yield* this.#adopt(pid, undefined, []);
  }

  #add(pid: number, parent: Task | undefined, flags: readonly string[]): Task {
    const process: Process =
      parent && flags.includes("CLONE_THREAD")
        ? parent.process
        : { pid, program: parent?.process.program, tasks: new Set() };
    const shared = parent && flags.includes("CLONE_FS");
    const folder = shared
      ? parent.folder
      : { ...(parent?.folder ?? { cwd: this.#cwd, root: "/" }) };
    const files =
      parent && flags.includes("CLONE_FILES")
        ? parent.files
        : new Map(parent?.files ?? this.#inherited);
    const task = {
      pid,
      process,
      folder,
      files,
      layers: parent?.layers ?? 0,
      isOther: parent?.isOther ?? false,
    };
    process.tasks.add(task);
    this.#tasks.set(pid, task);
    this.#known.add(pid);
    return task;
  }

  #remove(task: Task): void {
    task.process.tasks.delete(task);
    this.#tasks.delete(task.pid);
  }

  /** execve(2) in any thread ends the others and takes over the id of the first thread. */
  #rename(pid: number, was: number): void {
    const task = this.#tasks.get(was);
    if (!task) return;
    for (const other of [...task.process.tasks]) this.#remove(other);
    const renamed = { ...task, pid };
    const { process } = renamed;
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
    const here = this.#here(task);
    const target = foundBy(call);
    const found = target && openLocation(target);
    // Landlock never denies access to pipes, sockets and memfds.
    const operations = found?.kind === "nameless" ? [] : operationsOf(call, here, this);
    for (const operation of operations) {
      if (operation.kind === "ioctl" && !this.#devices.has(operation.path)) continue;
      if (target?.device !== undefined) this.#devices.add(target.name);
      yield {
        kind: "attempt",
        pid: task.pid,
        process: process.pid,
        program: process.program,
        call: call.name,
        operation,
        ...(call.errno === undefined ? {} : { failed: call.errno }),
        ...(found?.kind === "path" ? { found: found.path } : {}),
        ...(here.via.length > 0 ? { via: here.via } : {}),
        layers,
        ...(task.isOther ? { isOther: true } : {}),
      };
    }
    yield* this.#barred(call, task, target);
    if (this.#isSecondTracer(call)) {
      yield { kind: "gap", pid: task.pid, program: process.program, reason: "tracing" };
    }
    if (here.isLost) {
      const failed = call.errno === undefined ? {} : { failed: call.errno };
      yield { kind: "gap", pid: task.pid, program: process.program, reason: "place", ...failed };
    }
    if (call.errno === undefined) yield* this.#happened(call, task);
  }

  *#barred(call: Call, task: Task, opened: Target | undefined): Generator<Observation> {
    const { pid, process, layers } = task;
    const { program } = process;
    const barred = barredBy(call, this.#here(task));
    const failed = call.errno === undefined ? {} : { failed: call.errno };
    if (barred && !(barred.target !== undefined && this.#known.has(barred.target))) {
      const { bar, path } = barred;
      const where = path === undefined ? {} : { path };
      const one = { kind: "barred", pid, process: process.pid, program } as const;
      yield { ...one, call: call.name, bar, ...where, ...failed, layers };
    }
    const memory = /^\/proc\/(\d+)\/(?:task\/\d+\/)?mem$/.exec(opened?.name ?? "")?.[1];
    const reached = barred?.target ?? Number(memory ?? 0);
    const { pipe, processes } = this.tracing;
    if (call.errno !== undefined) return;
    if (opened?.name === pipe || processes.includes(reached)) {
      yield { kind: "tampering", pid, program };
    }
  }

  #isSecondTracer({ name, args, errno }: Call): boolean {
    if (name !== "ptrace" || errno !== "EPERM") return false;
    const [request, pid] = flagsAndNumber(args);
    return request === "PTRACE_TRACEME" || this.#known.has(pid);
  }

  #here(task: Task): Here {
    return {
      viewer: viewerOf(task),
      find: (pid) => {
        const other = this.#tasks.get(pid);
        return other && viewerOf(other);
      },
      isLost: false,
      isDeleted: false,
      via: [],
    };
  }

  /**
   * Updates descriptors from strace's output, which is more accurate than what earlier calls imply.
   */
  #refresh({ args, result }: Call, { folder, files }: Task): void {
    for (const value of [...args, result]) {
      if (value.type !== "word" || value.on === undefined) continue;
      const { name } = value.on;
      if (/^\d+$/.test(value.word)) files.set(Number(value.word), value.on);
      // A directory really named "x (deleted)" may be gone by the time this is read.
      else if (value.word === "AT_FDCWD" && name !== folder.cwd) {
        folder.cwd = targetFrom(name).name;
      }
    }
  }

  /** Updates the current directories beneath a renamed directory. */
  #moveFolders(call: Call, here: Here): void {
    const operation = fileOperation(call, here);
    if (operation?.kind !== "rename") return;
    const [from, to] = [operation.path, operation.to].map(
      (path) => `${real(parentOf(path)).replace(/\/$/, "")}/${lastName(path)}`,
    ) as [string, string];
    const moved = (path: string, old: string, now: string) =>
      isWithin(path, old) ? now + path.slice(old.length) : undefined;
    for (const folder of new Set([...this.#tasks.values()].map((task) => task.folder))) {
      const { cwd } = folder;
      const back = operation.exchange ? moved(cwd, to, from) : undefined;
      folder.cwd = moved(cwd, from, to) ?? back ?? cwd;
    }
  }

  *#happened(call: Call, task: Task): Generator<Observation> {
    const { name, args } = call;
    const { process, pid, folder } = task;
    const here = this.#here(task);
    if (name === "chdir") folder.cwd = real(pathAt(call, 0, here) ?? folder.cwd);
    else if (name === "fchdir") folder.cwd = openOn(args[0]) ?? folder.cwd;
    else if (name === "chroot") {
      const root = pathAt(call, 0, here);
      folder.root = root === undefined ? root : real(root);
    } else if (name === "pivot_root" || name === "setns") folder.root = undefined;
    else if (name.startsWith("rename")) this.#moveFolders(call, here);
    else if (name === "unshare") {
      const flags = flagsOf(args[0]);
      if (flags.includes("CLONE_FS") || flags.includes("CLONE_NEWNS")) task.folder = { ...folder };
      if (flags.includes("CLONE_FILES")) task.files = new Map(task.files);
    } else if (name === "execve" || name === "execveat") {
      const [at, directory] = name === "execve" ? [0] : [1, 0];
      process.program = pathAt(call, at!, here, directory) ?? textAt(call, at!);
      task.folder = { ...folder };
      task.files = new Map(task.files);
    } else if (name === "landlock_restrict_self") {
      const layers = task.layers + 1;
      for (const one of isForAll(call) ? process.tasks : [task]) one.layers = layers;
      yield { kind: "restriction", pid, process: process.pid, restricted: true };
    } else if (identityCalls.includes(name)) task.isOther ||= isOtherIdentity(call);
    else if (takesTerminal(call)) {
      yield { kind: "terminal", pid };
    } else if (name === "getsockname") {
      const [, protocol] = /^(TCP|UDP)/.exec(openOn(args[0]) ?? "") ?? [];
      for (const address of addressesOf(args.slice(1))) {
        if (protocol === undefined || address.family !== "inet") continue;
        const socket = {
          protocol: protocol === "TCP" ? "tcp" : "udp",
          port: address.port,
        } as const;
        yield { kind: "socket", pid, ...socket };
      }
    } else if (name === "io_uring_setup") {
      yield { kind: "gap", pid, program: process.program, reason: "io_uring" };
    } else if (clones.includes(name)) {
      const child = call.result.type === "word" ? Number(call.result.word) : 0;
      const flags = flagsOf(call.fields.get("flags") ?? fieldOf(args[0], "flags"));
      if (child > 0) yield* this.#adopt(child, task, flags);
    }
  }
}

function operationsOf(call: Call, here: Here, inside: Inside): readonly Operation[] {
  const onFile = fileOperation(call, here);
  return onFile ? [onFile] : otherOperations(call, here, inside);
}

/** Many programs set the user that they already have. */
function isOtherIdentity({ name, args }: Call): boolean {
  const own = name.includes("uid") ? process.geteuid!() : process.getegid!();
  // -1 leaves an id as it is.
  return name === "setgroups" || args.some((id) => ![String(own), "-1"].includes(wordOf(id)));
}

function wordOf(value: Call["args"][number]): string {
  return value.type === "word" ? value.word : "";
}

function isForAll({ args }: Call): boolean {
  const [flag = ""] = flagsOf(args[1]);
  return (Number(flag) & tsync) !== 0 || flag.endsWith("TSYNC");
}

function flagsAndNumber([request, pid]: Call["args"]): [string, number] {
  return [flagsOf(request)[0] ?? "", Number(flagsOf(pid)[0] ?? 0)];
}

function viewerOf({ pid, process, folder, files }: Task): Viewer {
  return { process: process.pid, pid, ...folder, program: process.program, files };
}

/** Resolves the symbolic links of a path, if it exists. */
function real(path: string): string {
  return knownRealPath(path) ?? join("/", path);
}
