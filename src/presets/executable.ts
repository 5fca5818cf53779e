/** The preset for starting programs. */
import { realpathSync } from "node:fs";
import { LandlockError } from "../errors/errors.ts";
import { parse } from "../validate/parse.ts";
import type { CompositeRule } from "../sandbox/rule.ts";
import { composite } from "../sandbox/rules.ts";
import { isPathString } from "../validate/values.ts";
import { elfOf, isLoader, isRunnable, type Elf } from "./elf.ts";
import { readable, runnable } from "./grant.ts";
import { librariesOf } from "./libraries.ts";
import { executedBy, findInterpreter } from "./scripts.ts";

/**
 * What starting programs takes, up to their first own instruction: for executing, the program's
 * file, the interpreters of its `#!` line, and the dynamic loader; for reading, the libraries they
 * are linked with, and `/etc/ld.so.cache`. All of it is read from the files, nothing is executed.
 * Without it, starting the program fails with `EACCES`. ABI 1.
 *
 * What is granted is what the file names, so whoever can write the file chooses it. Each name has to
 * lead to what it claims: interpreters are executable programs, the loader is an ELF file that needs
 * no other one, libraries are ELF files that a loader takes, all of this CPU; a key or a text file is
 * refused. Who owns them is not asked. If the same policy grants writing to the program, a run can
 * choose what the next one may read: `plan` names such programs under `rewritable`. A link there
 * must not lead out of what may be written, but to what all may read and only root can change.
 *
 * Not what a program opens by itself: its settings, Python's standard library, helpers that it
 * starts, plug-ins. Grant those with rules of your own; the path of a plug-in, as a `.so` file of
 * a Python module, may stand here for the libraries it is linked with.
 *
 * @param names Names on PATH, or paths, relative ones to the current directory
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where a program, an interpreter or a library is not
 *   found, is found by a relative entry of PATH, or is of a kind that is not known; `ERR_LANDLOCK_INVALID_RULE` where a name is none
 */
export function executable(...names: string[]): CompositeRule {
  if (!names.every(isPathString)) parse("paths", names, "presets.executable()");
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
 * Those of the files that are no scripts, by their real path, which `$ORIGIN` stands for. Their
 * identities are noted.
 */
function programs(chain: Map<string, string>): [string, Elf][] {
  const last = [...chain.keys()].at(-1);
  return [...chain.keys()].flatMap((path): [string, Elf][] => {
    const real = realpathSync(path);
    const elf = elfOf(real);
    if (elf) chain.set(path, elf.id);
    if (elf && isRunnable(elf)) return [[real, elf]];
    if (elf) throw unknownKind(path, "it is no program of this CPU");
    if (path === last) {
      throw unknownKind(path, "it is no 64-bit ELF file and no script that starts with #!");
    }
    return [];
  });
}

/** The dynamic loader that a program names, if it is one: the program may name any file. */
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
    `Cannot grant "${interpreter}", which "${program}" names as its dynamic loader: it is no loader of this CPU; reinstall the program, or grant its files by rules of your own`,
    { path: interpreter },
  );
}

function unknownKind(path: string, why: string): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot tell what "${path}" needs: ${why}; grant its files by rules of your own`,
    { path },
  );
}
