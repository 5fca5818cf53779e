/** The preset for starting programs. */
import { realpathSync } from "node:fs";
import { LandlockError } from "../errors.ts";
import { parse } from "../parse.ts";
import type { CompositeRule } from "../rule.ts";
import { composite } from "../rules.ts";
import { isPathString } from "../values.ts";
import { elfOf, type Elf } from "./elf.ts";
import { readable, runnable } from "./grant.ts";
import { librariesOf } from "./libraries.ts";
import { executedBy, findProgram } from "./scripts.ts";

/**
 * What starting programs takes, up to their first own instruction: for executing, the program's
 * file, the interpreters of its `#!` line, and the dynamic loader; for reading, the libraries they
 * are linked with, and `/etc/ld.so.cache`. All of it is read from the files, nothing is executed.
 * Without it, starting the program fails with `EACCES`. ABI 1.
 *
 * Not what a program opens by itself: its settings, Python's standard library, helpers that it
 * starts, plug-ins. Grant those with rules of your own; the path of a plug-in, as a `.so` file of
 * a Python module, may stand here for the libraries it is linked with.
 *
 * @param names Names on PATH, or paths, relative ones to the current directory
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where a program, an interpreter or a library is not
 *   found, or is of a kind that is not known; `ERR_LANDLOCK_INVALID_RULE` where a name is none
 */
export function executable(...names: string[]): CompositeRule {
  if (!names.every(isPathString)) parse("paths", names, "presets.executable()");
  const run: string[] = [];
  const read: string[] = [];
  for (const name of names) {
    const chain = executedBy(name);
    run.push(...chain);
    for (const [path, elf] of programs(chain)) {
      if (elf.interpreter !== undefined) run.push(findProgram(elf.interpreter, path));
      read.push(...librariesOf(path, elf));
    }
  }
  return composite(runnable(run), readable(read));
}

/** Those of the files that are no scripts, by their real path, which `$ORIGIN` stands for. */
function programs(chain: readonly string[]): [string, Elf][] {
  const last = chain.at(-1);
  return chain.flatMap((path): [string, Elf][] => {
    const real = realpathSync(path);
    const elf = elfOf(real);
    if (elf) return [[real, elf]];
    if (path === last) throw unknownKind(path);
    return [];
  });
}

function unknownKind(path: string): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot tell what "${path}" needs: it is no 64-bit ELF file and no script that starts with #!; grant its files by rules of your own`,
    { path },
  );
}
