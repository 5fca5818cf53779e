/**
 * How this program is started, by the shell code of `src/build/starter.ts` and by itself. No file
 * in the current directory may influence the start, and every word must arrive unchanged.
 */
import { lstatSync } from "node:fs";
import { LandlockError, quoted } from "../errors/errors.ts";
import { inheritedStrings } from "../kernel/inherited.ts";
import { nameOf } from "../kernel/names.ts";
import { close, defaultChildSignal, openFileLimit, setOpenFileLimit } from "../kernel/syscalls.ts";

/**
 * Without these, files in the current directory and above would influence Bun before our first
 * line.
 */
export const bunFlags = [
  "--config=/dev/null",
  "--no-env-file",
  "--tsconfig-override=/dev/null",
] as const;

/** The error if /dev/null is another file: `bunFlags` use it as an empty file of settings. */
export const nullDeviceReplaced =
  "/dev/null is not the null device, so Bun could take settings from it: make it again, e.g. with mknod -m 666 /dev/null c 1 3";

/** Major 1 and minor 3, which is Linux's null device. */
const nullDevice = 0x103;

/**
 * Bun reads package.json and tsconfig.json of its current directory and of those above, whatever
 * its options. A pipe there stops it, and /dev/stdin takes the command's input. So Bun starts in
 * the root directory.
 */
export const rootFlag = "--cwd=/";

/**
 * Starts the word before the command line. It holds the soft limit on open files before Bun raised
 * it, and after a comma a descriptor of the original current directory.
 */
export const startWord = "--started=";

/** The original command line, and what else the starter passes on. */
export interface Start {
  /** Decoded by `nameOf()`, which keeps bytes that aren't UTF-8. */
  readonly words: readonly string[];
  /** The soft limit on open files that this program was started with. */
  readonly openFiles: number;
}

/**
 * Finds out how this process was started.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if words may have lost bytes and /proc can't be read
 */
export function startOf(argv: readonly string[]): Start {
  // Bun drops a `--` after the script's name. This also works if Bun keeps it.
  const at = argv[2] === "--" ? 3 : 2;
  const word = argv[at];
  if (word?.startsWith(startWord)) {
    const [limit = 0, directory] = word.slice(startWord.length).split(",").map(Number);
    if (directory !== undefined) enter(directory);
    const words = argv.slice(at + 1);
    return { words: exact(words), openFiles: limit || openFilesOfParent() };
  }
  // Without the starter, Bun may have dropped the first `--` of the command line itself.
  const given = argv.slice(2);
  const before = commandLine()?.at(-given.length - 1);
  const words = before === "--" ? ["--", ...given] : given;
  return { words: exact(words), openFiles: openFilesOfParent() };
}

/** Makes an inherited directory current. Its path could lead to another one by now. */
function enter(directory: number): void {
  process.chdir(`/proc/self/fd/${directory}`);
  close(directory);
}

function commandLine(): string[] | undefined {
  return inheritedStrings("cmdline")?.map((string) => nameOf(string.subarray(0, -1)));
}

/** Restores bytes that aren't UTF-8, which Bun replaces. */
function exact(words: readonly string[]): readonly string[] {
  if (!words.some((word) => word.includes("\ufffd"))) return words;
  const all = commandLine();
  if (all) return all.slice(-words.length);
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    "Cannot read the command line: a word in it may not be UTF-8; mount /proc, or give it another name",
  );
}

/**
 * The original soft limit if there is no starter. Bun raises its own to the hard limit, so this
 * takes the parent's.
 */
function openFilesOfParent(): number {
  const own = openFileLimit(0);
  const parents = openFileLimit(process.ppid);
  const raised = own && parents && own.soft === own.hard && parents.hard === own.hard;
  return raised && parents.soft < own.soft ? Number(parents.soft) : Number(own?.soft ?? 0n);
}

/**
 * The command that starts this program again in the same way, except for the words of its command
 * line.
 *
 * @param directory A descriptor of the current directory, which the command inherits
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if Bun has lost bytes of its own path, or if
 *   /dev/null is another file
 */
export function again({ openFiles }: Start, directory: number): string[] {
  const { execPath } = process;
  if (execPath.includes("\ufffd")) {
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `The path of Bun is not UTF-8: install Bun in another folder than ${quoted(execPath)}`,
    );
  }
  if (lstatSync("/dev/null", { throwIfNoEntry: false })?.rdev !== nullDevice) {
    throw new LandlockError("ERR_LANDLOCK_PATH", nullDeviceReplaced);
  }
  const word = `${startWord}${openFiles},${directory}`;
  return [execPath, rootFlag, ...bunFlags, Bun.main, "--", word];
}

/**
 * Restores the limit on open files for a command that strace runs. Every word must be UTF-8,
 * because strace can't pass others on.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_USAGE` naming a word that isn't UTF-8, or if this
 *   program was compiled
 */
export function beforeTracing(words: readonly string[], { openFiles }: Start): void {
  // A compiled program lacks the separate file with the code of explain and learn.
  if (Bun.main.startsWith("/$bunfs/")) {
    throw invalid(
      "Cannot use explain or learn in a compiled program: call landlock-restrict itself",
    );
  }
  const stray = words.find((word) => !word.isWellFormed());
  if (stray !== undefined) {
    throw invalid(
      `${quoted(stray)} is not UTF-8: give the file another name, or run the command without explain or learn`,
    );
  }
  if (openFiles > 0) setOpenFileLimit(openFiles);
  defaultChildSignal();
}

/** The error for a wrong command line. */
export function invalid(message: string): LandlockError {
  return new LandlockError("ERR_LANDLOCK_USAGE", message);
}

/** Refuses a command line without a command. */
export function requireCommand(
  command: readonly string[],
): asserts command is readonly [string, ...string[]] {
  if (command.length === 0) throw invalid("There is no command: put it after --");
}
