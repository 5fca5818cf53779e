/** A ruleset in the kernel, which can restrict this process or its children. */
import { LandlockError } from "../errors/errors.ts";
import { unrestricted } from "../kernel/probe.ts";
import { close } from "../kernel/syscalls.ts";
import { readCall, type Call } from "../spawn/call.ts";
import { spawn, spawnSync } from "../spawn/spawn.ts";
import { parse } from "../validate/parse.ts";
import { PlainData, publicClass } from "../validate/values.ts";
import { noteStarted } from "./layers.ts";
import type { Plan } from "./plan.ts";
import type { Report } from "./report.ts";
import { defaultDeadlineMs, enforce, warnUnrestricted, type Built } from "./restrict.ts";

/** Settings of `ruleset.restrictSelf()`. */
export interface RestrictSelfOptions {
  /**
   * How long other threads may take to answer, in milliseconds, 1 to 60000; default 1000. Threads
   * that get no CPU time have ten times as long. Ignored from ABI 8 on, where the kernel restricts
   * the threads.
   */
  readonly deadlineMs?: number;
}

/**
 * A ruleset in the kernel, with open paths and rules, but not enforced. Made by `config.ruleset()`.
 * Close it with `using` or its `[Symbol.dispose]()`.
 */
export class Ruleset extends PlainData implements Disposable {
  static {
    publicClass(this, "Ruleset");
  }

  /** What the kernel was asked. */
  readonly plan: Plan;
  readonly #built: Built;
  readonly #allowNone: boolean;
  #closed = false;

  /** @internal Receives the result of `build()`, and makes no system call. */
  constructor(built: Built, allowNone: boolean) {
    super();
    this.plan = built.plan;
    this.#built = built;
    this.#allowNone = allowNone;
    Object.freeze(this);
  }

  /**
   * Restricts every thread of this process and all later children, irrevocably. Also sets
   * no_new_privs on every thread. You may call it again: each call adds a layer.
   *
   * @param options `deadlineMs`: how long other threads may take to answer, in milliseconds
   * @throws {LandlockError} `ERR_LANDLOCK_TOO_MANY_LAYERS` at the 17th layer, and
   *   `ERR_LANDLOCK_THREADS_UNREACHABLE` if a thread doesn't answer, both with nothing restricted;
   *   `ERR_LANDLOCK_THREADS_DIVERGED` if only some threads could be restricted;
   *   `ERR_LANDLOCK_CLOSED` after the ruleset was closed
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#enforcing-a-ruleset}
   */
  restrictSelf(options?: RestrictSelfOptions): Report {
    const { deadlineMs = defaultDeadlineMs } =
      options === undefined ? {} : parse("restrictSelf", options, "restrictSelf()");
    return enforce(this.#open(), deadlineMs);
  }

  /**
   * Starts a command that is restricted before its first instruction. This process isn't
   * restricted.
   *
   * @param command The program and its arguments. A name without a slash is looked up like in
   *   execvp(3), on the PATH of `env`, or on the PATH that this process was started with
   * @param options As for `Bun.spawn()`: `env: {}` is an empty environment, and the command only
   *   inherits the open files in `stdio`
   * @returns What `Bun.spawn()` returns, as soon as the command runs
   * @throws {LandlockError} `ERR_LANDLOCK_PATH` if the command isn't found or can't be executed
   *   inside the sandbox, or if the system refuses its working directory, descriptors or user;
   *   `ERR_LANDLOCK_INVALID_RULE` if there is no command, `env` isn't an object or `stdio` isn't a
   *   list; `ERR_LANDLOCK_CLOSED` after the ruleset was closed;
   *   `ERR_LANDLOCK_TOO_MANY_LAYERS`, `ERR_LANDLOCK_SYSCALL`, or `ERR_LANDLOCK_NATIVE`, which
   *   also means that there is no `/proc`. If nothing can be restricted here:
   *   `ERR_LANDLOCK_UNSUPPORTED`, `_DISABLED`, `_BLOCKED`, `_NOT_LINUX` or `_ABI_TOO_OLD`, unless
   *   `bestEffort({ allowNone: true })` is set. After an error, callbacks in `options` aren't called
   * @throws What `Bun.spawn()` throws for other invalid options
   */
  spawn<
    const In extends Bun.SpawnOptions.Writable = "ignore",
    const Out extends Bun.SpawnOptions.Readable = "pipe",
    const Err extends Bun.SpawnOptions.Readable = "inherit",
  >(
    command: string[],
    options?: Bun.SpawnOptions.SpawnOptions<In, Out, Err>,
  ): Bun.Subprocess<In, Out, Err>;
  /**
   * Starts a command that is restricted before its first instruction, like `spawn(cmd, options)`.
   *
   * @param options The command as `cmd`, and options as for `Bun.spawn()`
   */
  spawn<
    const In extends Bun.SpawnOptions.Writable = "ignore",
    const Out extends Bun.SpawnOptions.Readable = "pipe",
    const Err extends Bun.SpawnOptions.Readable = "inherit",
  >(
    options: Bun.SpawnOptions.SpawnOptions<In, Out, Err> & { cmd: string[] },
  ): Bun.Subprocess<In, Out, Err>;
  /** Implements both forms. */
  spawn(command: unknown, options?: unknown): Bun.Subprocess {
    return this.#start(spawn, Bun.spawn, command, options);
  }

  /**
   * Runs a command that is restricted before its first instruction, and waits until it ends. This
   * process isn't restricted.
   *
   * @param command The program and its arguments, as for `spawn()`
   * @param options As for `Bun.spawnSync()`
   * @returns What `Bun.spawnSync()` returns
   * @throws The same errors as `spawn()`
   */
  spawnSync<
    const In extends Bun.SpawnOptions.Writable = "ignore",
    const Out extends Bun.SpawnOptions.Readable = "pipe",
    const Err extends Bun.SpawnOptions.Readable = "pipe",
  >(
    command: string[],
    options?: Bun.SpawnOptions.SpawnSyncOptions<In, Out, Err>,
  ): Bun.SyncSubprocess<Out, Err>;
  /**
   * Runs a command that is restricted before its first instruction, like `spawnSync(cmd, options)`.
   *
   * @param options The command as `cmd`, and options as for `Bun.spawnSync()`
   */
  spawnSync<
    const In extends Bun.SpawnOptions.Writable = "ignore",
    const Out extends Bun.SpawnOptions.Readable = "pipe",
    const Err extends Bun.SpawnOptions.Readable = "pipe",
  >(
    options: Bun.SpawnOptions.SpawnSyncOptions<In, Out, Err> & { cmd: string[] },
  ): Bun.SyncSubprocess<Out, Err>;
  /** Implements both forms. */
  spawnSync(command: unknown, options?: unknown): Bun.SyncSubprocess {
    return this.#start(spawnSync, Bun.spawnSync, command, options);
  }

  /** Closes the ruleset. Restricted processes stay restricted. */
  [Symbol.dispose](): void {
    const { fd } = this.#built;
    if (fd >= 0 && !this.#closed) close(fd);
    this.#closed = true;
  }

  #start<Child>(
    start: (fd: number, flags: Plan["flags"], call: Call) => Child,
    startUnrestricted: (command: never, options: never) => Child,
    command: unknown,
    options: unknown,
  ): Child {
    // First, because reading the options runs the caller's code, which may close this ruleset.
    const call = readCall(command, options);
    const { fd, layer } = this.#open();
    if (fd < 0) {
      // A command may run without any restriction only if the Config says so.
      const name = JSON.stringify(call.command[0]);
      if (!this.#allowNone) throw unrestricted(`Cannot start ${name} in a sandbox`);
      warnUnrestricted();
      return startUnrestricted(command as never, options as never);
    }
    // Records the start, so that `explain()` knows the ruleset of the child or the error.
    const note = <Made>(made: Made) => noteStarted(made, layer, call.command, call.cwd);
    try {
      return note(start(fd, this.plan.flags, call));
    } catch (error) {
      throw note(error);
    }
  }

  #open(): Built {
    if (!this.#closed) return this.#built;
    throw new LandlockError(
      "ERR_LANDLOCK_CLOSED",
      "This Ruleset is closed: make another one with config.ruleset()",
    );
  }
}
