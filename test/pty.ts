/** Runs commands on a terminal of their own. */

export interface TerminalRun {
  /** All that was written to the terminal. */
  readonly text: string;
  readonly code: number;
}

/** What says how a terminal looks: each test says its own. */
const looks = ["CI", "COLUMNS", "FORCE_COLOR", "NO_COLOR"];

/** The environment of this process, but for what says how a terminal looks. */
export function plainEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !looks.includes(name)));
}

/** Written behind the command's output: a terminal has no end that could be waited for. */
const end = /\x1e(\d+)\x1e/;

/**
 * Runs a command whose input, output and error are a terminal.
 *
 * @param columns Its width, in characters
 * @param env In addition to the environment
 * @param keys What is typed once a text is shown
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
  // It outlives what interrupts the command.
  const script = 'trap : INT; "$@"; printf "\\036%s\\036" $?';
  // A session of its own, so that what is typed can interrupt it.
  Bun.spawn(["setsid", "--ctty", "--wait", "sh", "-c", script, "sh", ...command], {
    terminal,
    env: { ...plainEnvironment(), TERM: "xterm", ...env },
  });
  const { index, 1: code } = await ended;
  return { text: text.slice(0, index).replaceAll("\r\n", "\n"), code: Number(code) };
}
