/** `${NAME}` in paths: only from the policy's own table. */
import { LandlockError } from "../errors/errors.ts";
import { inheritedVariable } from "../kernel/inherited.ts";

/** The values of each variable. */
export type Variables = ReadonlyMap<string, readonly string[]>;

/** What a policy says a variable is; `env` names a variable of the environment. */
type VariableSource = string | readonly string[] | { readonly env: string };

/** Makes the error for a place in a policy, as `variables.HOME`; of a cause it keeps the code. */
export type Complain = (place: string, message: string, cause?: LandlockError) => LandlockError;

/** Resolves the table; nothing of the environment is read but what it names. */
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
          `${JSON.stringify(nested)} refers to another variable: write that where this one is used`,
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
      `the value of ${name} in the environment is not UTF-8, as all paths of policies have to be: correct it, or write a path here`,
    );
  }
  // "/home/${USER}" must not turn into "/home/../..".
  const plain = value.split("/").every((part) => part !== ".." && part !== ".");
  if (plain && (value.startsWith("/") || !value.includes("/"))) return value;
  throw complain(
    place,
    `${JSON.stringify(value)}, the value of ${name} in the environment, is neither an absolute path without ".." nor a single name: correct it, or write a path here`,
  );
}

/** Text and names of variables by turns: a name is at every odd place. */
function split(template: string, place: string, complain: Complain): string[] {
  const parts = [""];
  for (const [piece, , name] of template.matchAll(/\$\$|(\$\{([^}]*)\})|\$\{|[^$]+|\$/g)) {
    if (piece === "${") {
      throw complain(
        place,
        `${JSON.stringify(template)} has a \${ without }: close it, or write $\${ for a plain \${`,
      );
    }
    if (name !== undefined) parts.push(name, "");
    else parts[parts.length - 1] += piece === "$$" ? "$" : piece;
  }
  return parts;
}

/** Lists multiply: a few of them could fill the memory. */
const textsMax = 10_000;

/**
 * Replaces `${NAME}`; `$$` stands for `$`. A variable of several values makes several texts.
 *
 * @param place Where the text stands in the policy, for a message
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
        `\${${part}} is no variable: ${known ? `use ${known}, or add it to` : "define it in"} the table of variables; the environment is read only where that says so`,
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
