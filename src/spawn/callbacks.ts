/**
 * Delays a child's callbacks until its command runs, so that a failed launcher never calls them.
 */
import { isObject, type Call } from "./call.ts";

type Options = Call["others"];
type Callback = (this: unknown, ...values: unknown[]) => unknown;

/** Callbacks that wait until it is known whether the command runs. */
interface Held {
  /** The options with waiting callbacks. */
  readonly options: Options;
  /** The command runs: makes the delayed calls, and lets later ones through. */
  release(): void;
  /** The command doesn't run: makes no call. */
  drop(): void;
}

/** Delays the callbacks that Bun may call when the process ends. */
export function holdBack(options: Options): Held {
  const { onExit, onDisconnect, terminal } = options;
  // Usually there is no callback to delay.
  if (!onExit && !onDisconnect && !terminal) return { options, release() {}, drop() {} };
  let state: "waiting" | "released" | "dropped" = "waiting";
  const waiting: (() => void)[] = [];
  const held = (callback: unknown): unknown => {
    // Bun refuses values that aren't functions.
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
      // Called after spawn() has returned, so that it doesn't throw their errors.
      for (const call of waiting) queueMicrotask(call);
    },
    drop() {
      state = "dropped";
    },
  };
}
