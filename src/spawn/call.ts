/**
 * Reads the arguments of `spawn()` and `spawnSync()` once and completely before anything is opened,
 * because getters, iterators and `toString()` methods run the caller's code.
 */
import { LandlockError } from "../errors/errors.ts";

/** The options that `Bun.spawn()` reads on Linux. Its others are for Windows. */
export const optionsOfBun = [
  "argv0",
  "cwd",
  "ipc",
  "serialization",
  "terminal",
  "signal",
  "onDisconnect",
  "onExit",
  "env",
  "stdio",
  "stdin",
  "stderr",
  "stdout",
  "lazy",
  "detached",
  "uid",
  "gid",
  "cgroup",
  "timeout",
  "killSignal",
  "maxBuffer",
] as const;

type Given = { [Key in (typeof optionsOfBun)[number]]?: unknown };

/** A command and its options, as plain values. */
export interface Call {
  readonly command: readonly string[];
  readonly cwd: string | undefined;
  readonly argv0: string | undefined;
  /** Undefined for the environment that this process was started with. */
  readonly env: Readonly<Record<string, string>> | undefined;
  /** At least three entries. Undefined ones get Bun's default. */
  readonly stdio: readonly unknown[];
  /** All given options, unchanged. */
  readonly others: Readonly<Given>;
}

/**
 * Reads the arguments of both forms: `spawn(cmd, options)` and `spawn({ cmd, ...options })`.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if there is no command, or if `env` or
 *   `stdio` has the wrong type
 */
export function readCall(first: unknown, second: unknown): Call {
  const isList = Array.isArray(first);
  const options = isList ? second : first;
  const command = wordsOf(isList ? first : optionOf(options, "cmd"));
  // No prototype, because code may have added properties to every object.
  const others = Object.create(null) as Given;
  if (isObject(options)) {
    for (const key of optionsOfBun) {
      const value = optionOf(options, key);
      if (value !== undefined) others[key] = value;
    }
  }
  if (others.terminal !== undefined) others.terminal = terminalOf(others.terminal);
  const argv0 = textOf(others.argv0);
  if (argv0?.includes("\0")) throw hasNul(command[0]!, argv0);
  return {
    command,
    argv0,
    cwd: textOf(others.cwd),
    env: environmentOf(others.env),
    stdio: entriesOf(others.stdio) ?? [others.stdin, others.stdout, others.stderr],
    others,
  };
}

/** Reads one option like Bun, which ignores properties that code added to every object. */
function optionOf(options: unknown, key: string): unknown {
  if (!isObject(options)) return undefined;
  if (!(key in Object.prototype)) return Reflect.get(options, key);
  for (let from: object | null = options; from && from !== Object.prototype;) {
    if (Object.hasOwn(from, key)) return Reflect.get(from, key, options);
    from = Object.getPrototypeOf(from) as object | null;
  }
  return undefined;
}

function wordsOf(cmd: unknown): string[] {
  const words = Array.isArray(cmd) ? copyOf(cmd).map((word) => `${word}`) : [];
  if (words.length === 0 || words[0] === "") {
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_RULE",
      'There is no command to start: give a list like ["ls", "-l"]',
    );
  }
  const wrong = words.find((word) => word.includes("\0"));
  if (wrong !== undefined) throw hasNul(words[0]!, wrong);
  return words;
}

function hasNul(name: string, word: string): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    `Cannot start "${name}": its argument ${JSON.stringify(word)} contains a NUL; remove it`,
  );
}

/** Copies a list's elements, including holes, without calling its own iterator or methods. */
function copyOf(list: readonly unknown[]): unknown[] {
  const copy: unknown[] = [];
  for (let i = 0; i < list.length; i++) copy.push(list[i]);
  return copy;
}

/** Converts a value to text like Bun, which ignores null and "". */
function textOf(value: unknown): string | undefined {
  return value === undefined || value === null || value === "" ? undefined : `${value as string}`;
}

function environmentOf(env: unknown): Record<string, string> | undefined {
  if (env === undefined || env === null || env === "") return undefined;
  if (!isObject(env)) {
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_RULE",
      `env: expected an object like { LANG: "C" }, not ${Bun.inspect(env)}`,
    );
  }
  // Without a prototype, a name may be "__proto__".
  const copy = Object.create(null) as Record<string, string>;
  for (const name of Object.keys(env)) {
    const value = (env as Record<string, unknown>)[name];
    if (value !== undefined) copy[name] = `${value as string}`;
  }
  return copy;
}

function entriesOf(stdio: unknown): unknown[] | undefined {
  if (stdio === undefined || stdio === null) return undefined;
  if (!Array.isArray(stdio)) {
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_RULE",
      `stdio: expected a list like ["ignore", "pipe", "inherit"], not ${Bun.inspect(stdio)}`,
    );
  }
  const entries = copyOf(stdio);
  while (entries.length < 3) entries.push(undefined);
  return entries;
}

/** Copies the settings that Bun reads. Bun itself refuses other values. */
function terminalOf(terminal: unknown): unknown {
  if (!isObject(terminal) || terminal instanceof Bun.Terminal) return terminal;
  const { cols, rows, name, data, exit, drain } = terminal as Bun.TerminalOptions;
  return { cols, rows, name, data, exit, drain };
}

/** Whether Bun accepts the value as an object. */
export function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
