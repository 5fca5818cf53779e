/** Passes the signals that this process receives on to the command that it watches. */
import { constants } from "node:os";
import { ignoredSignals } from "../kernel/inherited.ts";

/** The signals that ask a command to end, sent by a user, a terminal or a service manager. */
const requests = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const;

type Request = (typeof requests)[number];

/**
 * Sent to all processes of the run, as a terminal does: a shell that gets one waits for its child.
 */
const forAll: readonly Request[] = ["SIGINT", "SIGQUIT"];

/** The state of the command. */
interface Command {
  /** Its first process, once it has started. */
  readonly first: number | undefined;
  /** Whether its first process has ended. */
  readonly isOver: boolean;
  /** All processes of the run that haven't ended. */
  readonly running: readonly number[];
}

/** Within this time the trace shows whether the command received the signal itself. */
const noticeMs = 100;
/** After this time a signal counts as a new one. */
const sameMs = 1000;
/** How long the remaining processes have after the first one ended. */
const graceMs = 2000;

/** Passes signals on to a command, then ends the processes that it leaves behind. */
export class Signals {
  readonly #command: Command;
  readonly #killAll: () => void;
  readonly #seen = new Map<string, number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #handlers = new Map<Request, () => void>();
  #early: Request | undefined;
  #request: Request | undefined;

  /** @param killAll Kills the whole run */
  constructor(command: Command, killAll: () => void) {
    this.#command = command;
    this.#killAll = killAll;
    const ignored = ignoredSignals();
    for (const signal of requests) {
      // If nohup(1) ignores a signal, the command should ignore it too.
      if (ignored.includes(constants.signals[signal])) continue;
      const handler = () => this.#later(noticeMs, () => this.#passOn(signal));
      this.#handlers.set(signal, handler);
      process.on(signal, handler);
    }
  }

  /** Records that a process of the run got a signal. */
  notice(pid: number, signal: string): void {
    this.#seen.set(`${pid} ${signal}`, performance.now());
  }

  /** Must be called after the command's first process has started, and after it has ended. */
  update(): void {
    if (this.#early !== undefined && this.#command.first !== undefined) {
      const signal = this.#early;
      this.#early = undefined;
      this.#send([this.#command.first], signal);
    }
    if (this.#request === undefined || !this.#command.isOver) return;
    const signal = this.#request;
    this.#request = undefined;
    this.#send(this.#command.running, signal);
    this.#later(graceMs, this.#killAll);
  }

  /** Stops handling signals. */
  end(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #passOn(signal: Request): void {
    this.#request = signal;
    const { first, isOver, running } = this.#command;
    if (first === undefined) this.#early = signal;
    else if (!isOver) this.#send(forAll.includes(signal) ? running : [first], signal);
    this.update();
  }

  #send(processes: readonly number[], signal: Request): void {
    for (const pid of processes) {
      // A terminal and timeout(1) already send a signal to the whole process group.
      const seen = this.#seen.get(`${pid} ${signal}`) ?? -Infinity;
      if (performance.now() - seen < sameMs) continue;
      try {
        process.kill(pid, signal);
      } catch {
        // The process ended in the meantime.
      }
    }
  }

  #later(ms: number, what: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      what();
    }, ms);
    this.#timers.add(timer);
  }
}
