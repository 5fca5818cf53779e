/** Follows `#!` lines from a script to the program that the kernel finally starts. */
import { realpathSync, statSync } from "node:fs";
import { basename, isAbsolute, resolve } from "node:path";
import { errnoName, LandlockError } from "../errors/errors.ts";
import { executableErrno, lookUpCommand, lookUpError, placesBefore } from "../kernel/lookup.ts";
import { hashBangIn, headOf } from "../kernel/refused.ts";
import { elfOf } from "./elf.ts";

/** The most interpreters to follow. The kernel follows fewer, but `env` starts a new chain. */
const chainMax = 16;

/** The file of a program, as `execvp(3)` finds it: on PATH, unless the name contains a slash. */
function findProgram(name: string, links: Set<string>, by?: string): string {
  const found = lookUpCommand(name);
  const asker = by === undefined ? "" : `, which "${by}" starts`;
  if (typeof found === "number") {
    throw lookUpError(`Cannot find the program "${name}"${asker}`, name, found);
  }
  if (!name.includes("/") && !isAbsolute(found)) {
    const entry = found.slice(0, -name.length - 1);
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot grant "${name}"${asker}: PATH has it in ${JSON.stringify(entry)}, which is relative to the current directory; give its path, or take that entry off PATH`,
      { path: found },
    );
  }
  let problem: string | undefined;
  try {
    // Opening other files, such as a FIFO, might wait forever.
    if (statSync(found).isFile()) {
      if (!name.includes("/")) for (const place of placesBefore(found, name)) links.add(place);
      return resolve(found);
    }
    problem = "it is not a regular file";
  } catch (cause) {
    problem = (cause as { code?: string }).code;
  }
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot find the program "${found}"${asker}: ${problem}; correct the path, or install it`,
    { path: found },
  );
}

/**
 * The file of an interpreter that a script or program names, without links. Like the kernel, it
 * only accepts a file that this user may execute.
 *
 * @param path The path as the file spells it
 * @param by The file
 * @param links Receives the path at which it was found, which may contain links
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if it is relative, not found, or not executable
 */
export function findInterpreter(path: string, by: string, links: Set<string>): string {
  const refused = (why: string) =>
    new LandlockError("ERR_LANDLOCK_PATH", `Cannot grant "${path}", which "${by}" starts: ${why}`, {
      path,
    });
  if (!isAbsolute(path)) {
    throw refused("it is relative to the directory the program is started in; correct the file");
  }
  const found = findProgram(path, links, by);
  const errno = executableErrno(found);
  if (errno > 0) {
    throw refused(
      `this user may not execute it (${errnoName(errno)}); correct "${by}", or chmod +x it`,
    );
  }
  links.add(found);
  return realpathSync(found);
}

/**
 * Splits words like `env -S`: quotes group characters, and a backslash escapes the next character.
 */
function splitString(text: string): string[] {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
  return words.map((word) =>
    word.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g, (_, a, b, c) => a ?? b ?? c),
  );
}

/** The program that `env` starts with these arguments, if any. */
function startedByEnv(words: readonly string[]): string | undefined {
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const split = /^(?:-[iv0]*S|--split-string(?:=|$))(.*)$/s.exec(word)?.[1];
    if (split !== undefined) {
      return startedByEnv([...splitString(split), ...words.slice(i + 1)]);
    }
    if (word === "-u" || word === "-C" || word === "--unset" || word === "--chdir") i++;
    else if (!word.startsWith("-") && !word.includes("=")) return word;
  }
  return undefined;
}

/** The interpreter of a script, its single argument, and the script's identity. */
interface HashBang {
  readonly interpreter: string;
  readonly argument: string;
  readonly id: string;
}

function hashBang(path: string): HashBang | undefined {
  const head = headOf(path);
  if (typeof head === "number") throw unreadable(path, errnoName(-head));
  const line = hashBangIn(head.text);
  if (!line || line.isCut) return undefined;
  // Names need not be UTF-8, but this library can't represent others, so it refuses them.
  const decode = (part: string) => {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(part, "latin1"));
    } catch (cause) {
      throw unreadable(path, `${(cause as { code?: string }).code}`, cause);
    }
  };
  return {
    interpreter: decode(line.interpreter),
    argument: decode(line.argument),
    id: head.id,
  };
}

/**
 * The files that starting a program executes, from the program itself to the last interpreter. It
 * follows `#!` lines and `env`, with or without `-S`. Interpreters are listed without links. An
 * interpreter named by a path must be an ELF program.
 *
 * @param name A name on PATH, or a path
 * @param links Receives the paths at which interpreters were found
 * @returns A map from each path to the identity of the script there, or to `""` for a program
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if one isn't found or can't be read
 * @see {@link https://man7.org/linux/man-pages/man2/execve.2.html}
 */
export function executedBy(name: string, links: Set<string>): Map<string, string> {
  const chain = new Map<string, string>();
  let next: string | undefined = name;
  let by: string | undefined;
  let viaEnv = false;
  while (next !== undefined) {
    const path = foundBy(next, by, viaEnv, links);
    if (chain.has(path) || chain.size === chainMax) throw endless(name);
    const line = hashBang(path);
    // The user controls what env finds on PATH, so that may be a script.
    if (line && by !== undefined && next.includes("/")) throw noProgram(path, by);
    chain.set(path, line?.id ?? "");
    if (!line) break;
    const { interpreter, argument } = line;
    by = path;
    next = interpreter;
    viaEnv = basename(interpreter) === "env";
    if (viaEnv) {
      const env = findInterpreter(interpreter, path, links);
      if (!elfOf(env)) throw noProgram(env, path);
      chain.set(env, "");
      const words = argument.startsWith("-") ? [argument] : [argument].filter(Boolean);
      next = startedByEnv(words);
    }
  }
  return chain;
}

/**
 * Looks a user's name up like a shell. Of the names in files, PATH only applies to those after
 * `env`.
 */
function foundBy(
  name: string,
  by: string | undefined,
  viaEnv: boolean,
  links: Set<string>,
): string {
  if (by === undefined) return findProgram(name, links);
  return findInterpreter(
    viaEnv && !name.includes("/") ? findProgram(name, links, by) : name,
    by,
    links,
  );
}

function unreadable(path: string, why: string, cause?: unknown): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot read "${path}" to see what it needs: ${why}; name a program that can be read, or grant its files with rules of your own`,
    { path, cause },
  );
}

/**
 * Scripts as interpreters are refused: a script could otherwise get an unrelated script granted.
 */
function noProgram(path: string, by: string): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot grant "${path}", which "${by}" starts: it is not an ELF program; name one in the #! line, or grant its files with rules of your own`,
    { path },
  );
}

function endless(name: string): LandlockError {
  const message = `Cannot follow the interpreters of "${name}": they lead in a circle, or are more than the kernel follows; correct its #! line`;
  return new LandlockError("ERR_LANDLOCK_PATH", message, { path: name });
}
