/** Expands `${NAME}` in paths, only from the policy's own table. */
import type { LandlockError } from "../errors/errors.ts";
import type { PolicyNotation } from "../errors/hints.ts";
import { inheritedVariable } from "../kernel/inherited.ts";

/** The values of each variable. */
export type Variables = ReadonlyMap<string, readonly string[]>;

/** A variable's definition in a policy. `env` names a variable of the environment. */
type VariableSource = string | readonly string[] | { readonly env: string };

/**
 * Makes the error for a place in a policy, such as `variables.HOME`. The problem is a text, or an
 * error of the library about a value there.
 */
export interface Complain {
  (place: string, problem: string | LandlockError): LandlockError;
  /** How the policy is written, for messages that quote it. */
  readonly notation: PolicyNotation;
}

/** Resolves the table. It reads only those environment variables that the table names. */
export function readVariables(
  table: Readonly<Record<string, VariableSource>>,
  complain: Complain,
): Variables {
  return new Map(
    Object.entries(table).map(([name, source]) => {
      const place = `variables.${name}`;
      const fixed = typeof source === "string" ? [source] : source;
      const values = "env" in fixed ? [fromEnvironment(place, fixed.env, complain)] : fixed;
      const nested = values.find((value) => value.includes("${"));
      if (nested !== undefined) {
        throw complain(
          place,
          `${JSON.stringify(nested)} refers to another variable: use both variables in the path instead`,
        );
      }
      return [name, values];
    }),
  );
}

function fromEnvironment(place: string, name: string, complain: Complain): string {
  const value = inheritedVariable(name);
  if (value === undefined || value === "") {
    const why = process.env[name] ? ": an .env file or the program set it later" : "";
    throw complain(
      place,
      `${name} is not set in the environment that this process was started with${why}; set it there, or write a path here`,
    );
  }
  if (!value.isWellFormed()) {
    throw complain(
      place,
      `the value of ${name} in the environment is not UTF-8, which paths in policies must be: correct it, or write a path here`,
    );
  }
  // Prevents "/home/${USER}" from becoming "/home/../..".
  const plain = value.split("/").every((part) => part !== ".." && part !== ".");
  if (plain && (value.startsWith("/") || !value.includes("/"))) return value;
  throw complain(
    place,
    `${JSON.stringify(value)}, the value of ${name} in the environment, is neither an absolute path without ".." nor a single name: correct it, or write a path here`,
  );
}

/** Splits a text into literal parts and variable names; names have odd indexes. */
function split(template: string, place: string, complain: Complain): string[] {
  const parts = [""];
  for (const [token, , name] of template.matchAll(/\$\$|(\$\{([^}]*)\})|\$\{|[^$]+|\$/g)) {
    if (token === "${") {
      throw complain(
        place,
        `${JSON.stringify(template)} has a \${ without }: close it, or write $\${ for a plain \${`,
      );
    }
    if (name !== undefined) parts.push(name, "");
    else parts[parts.length - 1] += token === "$$" ? "$" : token;
  }
  return parts;
}

/** Lists multiply, so a few of them could exhaust the memory. */
const textsMax = 10_000;

/**
 * Replaces `${NAME}` by its values and `$$` by `$`. A variable with several values makes several
 * texts.
 *
 * @param place Where the text is in the policy, for messages
 */
export function expand(
  template: string,
  variables: Variables,
  place: string,
  complain: Complain,
): string[] {
  let texts = [""];
  for (const [i, part] of split(template, place, complain).entries()) {
    const values = i % 2 === 0 ? [part] : variables.get(part);
    if (values === undefined) {
      const known = [...variables.keys()].join(", ");
      throw complain(
        place,
        `\${${part}} is not a variable: ${known ? `use ${known}, or add it to` : "define it in"} the table of variables; the environment is only used if the table says so`,
      );
    }
    if (texts.length * values.length > textsMax) {
      throw complain(
        place,
        `${JSON.stringify(template)} makes more than ${textsMax} paths: give its variables fewer values`,
      );
    }
    texts = texts.flatMap((text) => values.map((value) => text + value));
  }
  return texts;
}
