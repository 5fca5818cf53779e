/** Callbacks of a child, which are for the command only and not for a launcher that failed. */
import { isObject, type Call } from "./call.ts";

type Options = Call["others"];
type Callback = (this: unknown, ...values: unknown[]) => unknown;

/** Callbacks that wait until it is known whether the command runs. */
interface Held {
  /** The options with callbacks that wait. */
  readonly options: Options;
  /** The command runs: calls what has waited, and what comes from now on. */
  release(): void;
  /** It does not run: nothing is called. */
  drop(): void;
}

/** Holds back what Bun may call when the process ends. */
export function holdBack(options: Options): Held {
  const { onExit, onDisconnect, terminal } = options;
  // Most often there is nothing to hold.
  if (!onExit && !onDisconnect && !terminal) return { options, release() {}, drop() {} };
  let state: "waiting" | "released" | "dropped" = "waiting";
  const waiting: (() => void)[] = [];
  const held = (callback: unknown): unknown => {
    // What is no function is refused by Bun.
    if (typeof callback !== "function") return callback;
    const call = callback as Callback;
    return function (this: unknown, ...values: unknown[]) {
      if (state === "released") return call.apply(this, values);
      if (state === "waiting") waiting.push(() => call.apply(this, values));
      return undefined;
    };
  };
  const changed = Object.assign(Object.create(null), options) as {
    -readonly [Key in keyof Options]: Options[Key];
  };
  if (onExit) changed.onExit = held(onExit);
  if (onDisconnect) changed.onDisconnect = held(onDisconnect);
  if (isObject(terminal) && !(terminal instanceof Bun.Terminal)) {
    changed.terminal = { ...terminal, exit: held((terminal as Bun.TerminalOptions).exit) };
  }
  return {
    options: changed,
    release() {
      state = "released";
      // After spawn() has returned, and so that what they throw is theirs.
      for (const call of waiting) queueMicrotask(call);
    },
    drop() {
      state = "dropped";
    },
  };
}
