/**
 * How this program is started, by the shell lines of `src/build/starter.ts` and by itself: so that
 * nothing of the current directory runs or decides, and every word arrives.
 */
import { lstatSync } from "node:fs";
import { LandlockError, quoted } from "../errors/errors.ts";
import { inheritedStrings } from "../kernel/inherited.ts";
import { nameOf } from "../kernel/names.ts";
import { defaultChildSignal, openFileLimit, setOpenFileLimit } from "../kernel/syscalls.ts";

/** Without them Bun obeys files of the current directory and its parents before our first line. */
export const bunFlags = [
  "--config=/dev/null",
  "--no-env-file",
  "--tsconfig-override=/dev/null",
] as const;

/** Ends a start with other settings than none: `bunFlags` take /dev/null for an empty file. */
export const nullDeviceReplaced =
  "/dev/null is not the null device, so Bun could take settings from it: make it again, e.g. with mknod -m 666 /dev/null c 1 3";

/** Major 1 and minor 3. */
const nullDevice = 0x103;

/** Begins the word in front of the command line: the soft limit on open files, before Bun raised it. */
export const openFilesWord = "--open-files=";

/** The command line as it was given, and what else the starter knows. */
export interface Start {
  /** As `nameOf()` has them: bytes that are not UTF-8 are kept. */
  readonly words: readonly string[];
  /** The soft limit on open files that this program was started with. */
  readonly openFiles: number;
}

/**
 * Tells how this process was started.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where /proc cannot be read and the words may have
 *   lost bytes
 */
export function startOf(argv: readonly string[]): Start {
  // Bun drops a `--` after the script's name. One that keeps it changes nothing.
  const at = argv[2] === "--" ? 3 : 2;
  const word = argv[at];
  if (word?.startsWith(openFilesWord)) {
    const limit = Number.parseInt(word.slice(openFilesWord.length), 10);
    const words = argv.slice(at + 1);
    return { words: exact(words), openFiles: limit || openFilesOfParent() };
  }
  // Without the starter, the `--` that Bun drops may be the first of the command line.
  const given = argv.slice(2);
  const before = commandLine()?.at(-given.length - 1);
  const words = before === "--" ? ["--", ...given] : given;
  return { words: exact(words), openFiles: openFilesOfParent() };
}

function commandLine(): string[] | undefined {
  return inheritedStrings("cmdline")?.map((string) => nameOf(string.subarray(0, -1)));
}

/** The words with the bytes that are not UTF-8, which Bun replaces. */
function exact(words: readonly string[]): readonly string[] {
  if (!words.some((word) => word.includes("\ufffd"))) return words;
  const all = commandLine();
  if (all) return all.slice(-words.length);
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    "Cannot read the command line: a word in it may not be UTF-8; mount /proc, or give it another name",
  );
}

/** Without the starter: Bun raises its own soft limit to the hard one, but its parent has the old one. */
function openFilesOfParent(): number {
  const own = openFileLimit(0);
  const parents = openFileLimit(process.ppid);
  const raised = own && parents && own.soft === own.hard && parents.hard === own.hard;
  return raised && parents.soft < own.soft ? Number(parents.soft) : Number(own?.soft ?? 0n);
}

/**
 * A command that runs this program again, in the same way, up to the words of its command line.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if Bun has lost bytes of its own path, or something
 *   else has replaced /dev/null
 */
export function again({ openFiles }: Start): string[] {
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
  return [execPath, ...bunFlags, Bun.main, "--", `${openFilesWord}${openFiles}`];
}

/**
 * Gets ready for a command that strace runs: it gets the limit on open files that this process was
 * started with. strace's own words are UTF-8, so no other word can go through it.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` naming a word that is not UTF-8, or if this
 *   program was compiled
 */
export function beforeTracing(words: readonly string[], { openFiles }: Start): void {
  // What is evaluated late is a file beside the installed program.
  if (Bun.main.startsWith("/$bunfs/")) {
    throw invalid("A compiled program has no explain and learn: call landlock-restrict itself");
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

function invalid(message: string): LandlockError {
  return new LandlockError("ERR_LANDLOCK_INVALID_RULE", message);
}
