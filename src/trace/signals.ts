/** Signals to this process are for the command that it watches. */
import { constants } from "node:os";
import { ignoredSignals } from "../kernel/inherited.ts";

/** The signals by which a user, a terminal or a service manager asks a command to end. */
const requests = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const;

type Request = (typeof requests)[number];

/** Those that a terminal sends to all processes in its foreground: shells wait for their child. */
const forAll: readonly Request[] = ["SIGINT", "SIGQUIT"];

/** What is known of the command. */
interface Command {
  /** Its first process, once that has started. */
  readonly first: number | undefined;
  /** Whether its first process has ended. */
  readonly isOver: boolean;
  /** All processes of the run that have not ended. */
  readonly running: readonly number[];
}

/** The trace tells within this time that a signal has reached the command by itself. */
const noticeMs = 100;
/** So much later is too late for a signal to be the same one. */
const sameMs = 1000;
/** What the first process leaves behind has so long to end. */
const graceMs = 2000;

/** Passes signals on to a command, and ends what it leaves behind then. */
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
      // nohup(1) means the command too.
      if (ignored.includes(constants.signals[signal])) continue;
      const handler = () => this.#later(noticeMs, () => this.#passOn(signal));
      this.#handlers.set(signal, handler);
      process.on(signal, handler);
    }
  }

  /** A process of the run got a signal. */
  notice(pid: number, signal: string): void {
    this.#seen.set(`${pid} ${signal}`, performance.now());
  }

  /** Has to be called when the command's first process has started, and when it has ended. */
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

  /** Leaves signals alone again. */
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
      // A terminal, and timeout(1), send a signal to all processes of a group.
      const seen = this.#seen.get(`${pid} ${signal}`) ?? -Infinity;
      if (performance.now() - seen < sameMs) continue;
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended meanwhile.
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
