/** The preset for starting programs. */
import { realpathSync } from "node:fs";
import { LandlockError } from "../errors/errors.ts";
import { parse } from "../validate/parse.ts";
import type { CompositeRule } from "../sandbox/rules.ts";
import { composite } from "../sandbox/rules.ts";
import { isPathString } from "../validate/values.ts";
import { elfOf, isLoader, isRunnable, type Elf } from "./elf.ts";
import { readable, runnable } from "./grant.ts";
import { librariesOf } from "./libraries.ts";
import { executedBy, findInterpreter } from "./scripts.ts";

/**
 * Grants what starting programs needs, up to their first own instruction. It grants executing the
 * program's file, the interpreters of its `#!` line and the dynamic loader, and reading their
 * libraries and `/etc/ld.so.cache`. It reads all of this from the files and executes nothing.
 * Without it, starting the program fails with `EACCES`. ABI 1.
 *
 * The file's content decides what is granted, so anyone who can write the file can choose. Each
 * name must lead to the expected kind of file for this CPU: an executable interpreter, a loader, or
 * a loadable library. Anything else, such as a key or a text file, is refused. The owner isn't
 * checked. If the same policy grants writing to the program, one run can choose what the next one
 * may read: `plan` lists such programs under `rewritable`. A link in a writable place may only lead
 * to another writable place, or to a file that everyone may read and only root can change.
 *
 * It doesn't grant what a program opens itself: settings, Python's standard library, helper
 * programs and plug-ins. Grant those with rules of your own. You can pass the path of a plug-in,
 * such as a `.so` file of a Python module, to grant its libraries.
 *
 * @param names Names on PATH, or paths; relative paths start from the current directory
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if a program, an interpreter or a library isn't
 *   found, is found by a relative entry of PATH, or is of an unknown kind;
 *   `ERR_LANDLOCK_INVALID_RULE` if a name is invalid
 */
export function executable(...names: string[]): CompositeRule {
  if (!names.every(isPathString)) parse("paths", names, { preset: "executable" });
  const run = new Map<string, string>();
  const read = new Map<string, string>();
  const links = new Set<string>();
  for (const name of names) {
    const chain = executedBy(name, links);
    const found = programs(chain);
    for (const [path, id] of chain) run.set(path, id);
    for (const [real, elf] of found) {
      if (elf.interpreter !== undefined) {
        const [path, id] = loaderOf(elf.interpreter, real, links);
        run.set(path, id);
      }
      for (const [path, id] of librariesOf(real, elf, links)) read.set(path, id);
    }
  }
  const chosenBy = new Set([...run.keys(), ...read.keys(), ...links]);
  return composite(runnable(run), readable(read, [...chosenBy]));
}

/**
 * The files that aren't scripts, by their real paths, which `$ORIGIN` refers to. Adds their
 * identities to the chain.
 */
function programs(chain: Map<string, string>): [string, Elf][] {
  const last = [...chain.keys()].at(-1);
  return [...chain.keys()].flatMap((path): [string, Elf][] => {
    const real = realpathSync(path);
    const elf = elfOf(real);
    if (elf) chain.set(path, elf.id);
    if (elf && isRunnable(elf)) return [[real, elf]];
    if (elf) throw unknownKind(path, "it is not a program for this CPU");
    if (path === last) {
      throw unknownKind(path, "it is neither a 64-bit ELF file nor a script that starts with #!");
    }
    return [];
  });
}

/**
 * The dynamic loader that a program names. It must be a loader, since a program may name any file.
 */
function loaderOf(
  interpreter: string,
  program: string,
  links: Set<string>,
): [path: string, id: string] {
  const path = findInterpreter(interpreter, program, links);
  const elf = elfOf(path);
  if (elf && isLoader(elf)) return [path, elf.id];
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot grant "${interpreter}", which "${program}" names as its dynamic loader: it is not a loader for this CPU; reinstall the program, or grant its files with rules of your own`,
    { path: interpreter },
  );
}

function unknownKind(path: string, why: string): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot tell what "${path}" needs: ${why}; grant its files with rules of your own`,
    { path },
  );
}
