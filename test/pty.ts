/** Runs commands on a pseudo-terminal. */

export interface TerminalRun {
  /** Everything written to the terminal. */
  readonly text: string;
  readonly code: number;
}

/** Variables that say how a terminal looks; each test sets its own. */
const looks = ["CI", "COLUMNS", "FORCE_COLOR", "NO_COLOR"];

/** This process's environment without the variables that say how a terminal looks. */
export function plainEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !looks.includes(name)));
}

/** Marks the end of the command's output, since a terminal has no end of file to wait for. */
const end = /\x1e(\d+)\x1e/;

/**
 * Runs a command with a terminal as its input, output and error.
 *
 * @param columns Width in characters
 * @param env Added to the environment
 * @param keys What to type once a text is shown
 */
export async function onTerminal(
  command: readonly string[],
  columns: number,
  env: Record<string, string> = {},
  keys?: { readonly after: string | RegExp; readonly type: string },
): Promise<TerminalRun> {
  let text = "";
  let typed = false;
  const decoder = new TextDecoder();
  const { promise: ended, resolve: finish } = Promise.withResolvers<RegExpExecArray>();
  await using terminal = new Bun.Terminal({
    cols: columns,
    data(_, bytes) {
      text += decoder.decode(bytes, { stream: true });
      if (keys && !typed && text.match(keys.after)) {
        typed = true;
        terminal.write(keys.type);
      }
      const found = end.exec(text);
      if (found) finish(found);
    },
  });
  // This process must survive the interrupt that the command gets.
  const script = 'trap : INT; "$@"; printf "\\036%s\\036" $?';
  // Needs its own session, so that typed keys can interrupt it.
  Bun.spawn(["setsid", "--ctty", "--wait", "sh", "-c", script, "sh", ...command], {
    terminal,
    env: { ...plainEnvironment(), TERM: "xterm", ...env },
  });
  const { index, 1: code } = await ended;
  return { text: text.slice(0, index).replaceAll("\r\n", "\n"), code: Number(code) };
}
