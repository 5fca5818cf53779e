/** Paths as a policy has them: relative to its file, or to a variable. */
import { isWithin } from "../kernel/names.ts";

/** What paths may be written with. */
interface NamesOptions {
  /** The folder of the policy's file. */
  readonly base: string;
  /** The project; undefined: there is none worth the name. */
  readonly project: string | undefined;
  readonly home: string | undefined;
  /** Variables that the policy has already. */
  readonly known: Readonly<Record<string, unknown>>;
}

/** Writes paths, and remembers the variables that it took. */
export class Names {
  readonly #options: NamesOptions;
  readonly #used = new Map<string, string | { readonly env: string }>();

  /** @param options What paths may be written with */
  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /** The variables that were used and that the policy does not have yet. */
  get variables(): ReadonlyMap<string, string | { readonly env: string }> {
    return this.#used;
  }

  /** A program as the preset `executable` has it: without a slash it would be looked up on PATH. */
  writeProgram(path: string): string {
    const text = this.write(path);
    return text.includes("/") ? text : `./${text}`;
  }

  /** A path as the policy has it. */
  write(path: string): string {
    const { base, project, home } = this.#options;
    if (project !== undefined && isWithin(path, project)) {
      if (project === base) return path === base ? "." : relative(path.slice(base.length + 1));
      const name = this.#variable("PROJECT", project, project);
      if (name !== undefined) return `\${${name}}${escaped(path.slice(project.length))}`;
    }
    if (home !== undefined && isWithin(path, home)) {
      const name = this.#variable("HOME", { env: "HOME" }, home);
      if (name !== undefined) return `\${${name}}${escaped(path.slice(home.length))}`;
    }
    return escaped(path);
  }

  /** A variable of this meaning; undefined where a person gave the name another one. */
  #variable(
    name: string,
    value: string | { readonly env: string },
    path: string,
  ): string | undefined {
    const { known } = this.#options;
    // In the value of a variable nothing could escape it, and no policy holds what is not UTF-8.
    if (path.includes("${") || !path.isWellFormed()) return undefined;
    if (Object.hasOwn(known, name)) {
      return known[name] === path || Bun.deepEquals(known[name], value) ? name : undefined;
    }
    this.#used.set(name, value);
    return name;
  }
}

/** A name that starts with `~` would be taken for a home directory. */
function relative(path: string): string {
  return escaped(path.startsWith("~") ? `./${path}` : path);
}

/** A text as policies have it: `$$` is a `$`. */
export function escaped(path: string): string {
  return path.replaceAll("$", "$$$$");
}
