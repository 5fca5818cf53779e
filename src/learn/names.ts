/** Writes paths as a policy contains them: relative to its file, or to a variable. */
import { isWithin } from "../kernel/names.ts";

/** How paths can be written. */
interface NamesOptions {
  /** The folder of the policy's file. */
  readonly base: string;
  /** The project; undefined if there is none. */
  readonly project: string | undefined;
  readonly home: string | undefined;
  /** Variables that the policy already has. */
  readonly known: Readonly<Record<string, unknown>>;
}

/** Writes paths, and records the variables that they use. */
export class Names {
  readonly #options: NamesOptions;
  readonly #used = new Map<string, string | { readonly env: string }>();

  /** @param options How paths can be written */
  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /** The used variables that the policy doesn't have yet. */
  get variables(): ReadonlyMap<string, string | { readonly env: string }> {
    return this.#used;
  }

  /** A program for the preset `executable`. Without a slash it would be looked up on PATH. */
  writeProgram(path: string): string {
    const text = this.write(path);
    return text.includes("/") ? text : `./${text}`;
  }

  /** A path as it is written in the policy. */
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

  /**
   * A variable with this value. Undefined if the policy already uses its name for another value.
   */
  #variable(
    name: string,
    value: string | { readonly env: string },
    path: string,
  ): string | undefined {
    const { known } = this.#options;
    // A variable's value can't be escaped, and a policy can't contain text that isn't UTF-8.
    if (path.includes("${") || !path.isWellFormed()) return undefined;
    if (Object.hasOwn(known, name)) {
      return known[name] === path || Bun.deepEquals(known[name], value) ? name : undefined;
    }
    this.#used.set(name, value);
    return name;
  }
}

/** Prevents a name that starts with `~` from looking like a home directory. */
function relative(path: string): string {
  return escaped(path.startsWith("~") ? `./${path}` : path);
}

/** Escapes a text for policies, where `$$` means `$`. */
export function escaped(path: string): string {
  return path.replaceAll("$", "$$$$");
}
