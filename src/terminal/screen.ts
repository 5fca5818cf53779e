/** What an output shows: how wide it is, whether in colour, whether a line can be written anew. */
import { terminalColumns } from "../kernel/syscalls.ts";

/** An output as far as text for people depends on it. */
export interface Screen {
  /** Characters a line has room for; Infinity where it is no terminal: nothing is cut or wrapped. */
  readonly columns: number;
  readonly colours: boolean;
  /** Whether what was written can be replaced, as a progress line is. */
  readonly live: boolean;
}

/** An environment, as `process.env`. */
type Environment = Readonly<Record<string, string | undefined>>;

/** The width of a terminal that does not know its own: that of a VT100. */
const columnsDefault = 80;

/**
 * The screen behind standard output or standard error. One ioctl(2): `node:tty` and
 * `process.stdout` say the same, and take 8 ms to load.
 *
 * @param fd 1 or 2
 */
export function screenOf(fd: 1 | 2): Screen {
  return screenFor(process.platform === "linux" ? columnsOf(fd) : undefined, process.env);
}

function columnsOf(fd: number): number | undefined {
  try {
    return terminalColumns(fd);
  } catch {
    // The error that is to be shown matters more, which may be that of the same library.
    return undefined;
  }
}

/**
 * What a terminal, or another file, shows. Colours by `FORCE_COLOR` where it is set, as in Node;
 * else on a terminal, unless `NO_COLOR` or `CI` is set or `TERM` is `dumb`.
 *
 * @param columns The terminal's width in characters, 0: it does not know; undefined: no terminal
 * @param env `COLUMNS`, as ls(1) and ps(1) take it, replaces the terminal's width
 * @see {@link https://no-color.org}
 */
export function screenFor(columns: number | undefined, env: Environment): Screen {
  const { FORCE_COLOR: forced, NO_COLOR, CI, TERM, COLUMNS = "" } = env;
  const isTerminal = columns !== undefined;
  const live = isTerminal && !CI && TERM !== undefined && TERM !== "" && TERM !== "dumb";
  const wanted = /^[1-9]\d{0,4}$/.test(COLUMNS) ? Number(COLUMNS) : columns || columnsDefault;
  return {
    columns: isTerminal ? wanted : Infinity,
    colours: forced === undefined ? live && !NO_COLOR : forced !== "0" && forced !== "false",
    live,
  };
}
