/** Detects an output's width, colours and whether it can replace a line. */
import { terminalColumns } from "../kernel/syscalls.ts";

/** The properties of an output that matter for text. */
export interface Screen {
  /**
   * The characters that fit in a line. Infinity if it isn't a terminal, so nothing is cut or
   * wrapped.
   */
  readonly columns: number;
  readonly colours: boolean;
  /** Whether written text can be replaced, as in a progress line. */
  readonly live: boolean;
}

/** An environment, such as `process.env`. */
type Environment = Readonly<Record<string, string | undefined>>;

/** The width of a terminal that reports none: that of a VT100. */
const columnsDefault = 80;

/**
 * The screen of standard output or standard error. One ioctl(2) suffices; `node:tty` and
 * `process.stdout` take 8 ms to load.
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
    // The caller is about to show an error, which may have the same cause.
    return undefined;
  }
}

/**
 * The properties of a terminal or another file. As in Node, `FORCE_COLOR` decides on colours if it
 * is set. Otherwise a terminal has colours unless `NO_COLOR` or `CI` is set or `TERM` is `dumb`.
 *
 * @param columns The terminal's width in characters, or 0 if it reports none; undefined: not a
 *   terminal
 * @param env As in ls(1) and ps(1), `COLUMNS` replaces the terminal's width
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
