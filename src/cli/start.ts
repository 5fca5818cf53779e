/**
 * How this program is started, by the shell lines of `src/bundle/starter.ts` and by itself: so that
 * nothing of the current directory runs or decides, and every word arrives.
 */

/** Without them Bun obeys files of the current directory and its parents before our first line. */
export const bunFlags = [
  "--config=/dev/null",
  "--no-env-file",
  "--tsconfig-override=/dev/null",
] as const;

/** Begins the word in front of the command line: the soft limit on open files, before Bun raised it. */
export const openFilesWord = "--open-files=";

/** The command line as it was given, and what else the starter knows. */
export interface Start {
  readonly words: readonly string[];
  /** The soft limit on open files that the program was started with; undefined: not known. */
  readonly openFiles: number | undefined;
}

/** Takes `process.argv` apart. Bun drops a `--` after the script's name; newer ones may keep it. */
export function startOf(argv: readonly string[]): Start {
  const at = argv[2] === "--" ? 3 : 2;
  const word = argv[at];
  if (!word?.startsWith(openFilesWord)) return { words: argv.slice(2), openFiles: undefined };
  const limit = Number.parseInt(word.slice(openFilesWord.length), 10);
  return { words: argv.slice(at + 1), openFiles: Number.isNaN(limit) ? undefined : limit };
}

/** A command that runs this program again, in the same way, up to the words of its command line. */
export function again({ openFiles }: Start): string[] {
  // A compiled program has its script inside.
  const isCompiled = Bun.main.startsWith("/$bunfs/");
  return [
    ...(isCompiled ? [process.execPath] : [process.execPath, ...bunFlags, Bun.main]),
    ...["--", `${openFilesWord}${openFiles ?? ""}`],
  ];
}
