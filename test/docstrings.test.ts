/** Docstrings are the reference, so the test reads them from the published declarations. */
import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./harness.ts";

const root = join(import.meta.dir, "..");
const types = join(root, "dist/types");

/** A function, method or constructor, and its docstring. */
interface Documented {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly doc: string;
}

/** The text inside the brackets that it starts with. */
function bracketed(text: string): string {
  let depth = 0;
  for (const [i, character] of [...text].entries()) {
    // The `>` of an arrow closes no bracket.
    if ("(<{[".includes(character)) depth++;
    else if (")}]".includes(character) || (character === ">" && text[i - 1] !== "=")) depth--;
    if (depth === 0) return text.slice(1, i);
  }
  throw new Error(`no end: ${text.slice(0, 80)}`);
}

/** A signature's parameter names. `text` starts after the function's name. */
function parametersOf(text: string): string[] {
  const rest = text.startsWith("<") ? text.slice(bracketed(text).length + 2) : text;
  const list = bracketed(rest);
  const flat = list.replaceAll(/[<{[(](?:[^<>{}[\]()]|[<{[(][^<>{}[\]()]*[>}\])])*[>}\])]/g, "");
  return [...flat.matchAll(/(?:^|,)\s*(?:\.\.\.)?(\w+)\??:/g)].map(([, name]) => name!);
}

const docstring = String.raw`/\*\*((?:(?!\*/)[^])*)\*/\s*`;

/** The functions and methods of a declaration that have a docstring. */
function documentedIn(text: string): Documented[] {
  const pattern = `${docstring}(?:export )?(?:declare function )?([\\w.[\\]]+)(?=[<(])`;
  return [...text.matchAll(new RegExp(pattern, "g"))].map((match) => {
    const [whole, doc, name] = match;
    const parameters = parametersOf(text.slice(match.index + whole.length));
    return { name: name!, doc: doc!, parameters };
  });
}

let all = "";
const exported: { name: string; doc: string; text: string }[] = [];

beforeAll(() => {
  expect(run([process.execPath, "run", "build"], root)).toMatchObject({ code: 0 });
  const files = [...new Bun.Glob("**/*.d.ts").scanSync(types)];
  all = files.map((file) => readFileSync(join(types, file), "utf8")).join("\n");
  const index = readFileSync(join(types, "index.d.ts"), "utf8");
  for (const [, list, path] of index.matchAll(/^export (?:type )?\{([^}]+)\} from "(.+)\.js"/gm)) {
    const file = readFileSync(join(types, `${path}.d.ts`), "utf8");
    for (const word of list!.split(",")) {
      const name = word.trim().replace(/^type /, "");
      if (name === "") continue;
      const head = `(?:${docstring})?export (?:declare )?(?:const|function|class|interface|type) ${name}\\b`;
      const match = new RegExp(head).exec(file);
      const [found = "", doc = ""] = match ?? [];
      const rest = file.slice((match?.index ?? 0) + found.length).split(/\n(?:export |\/\*\*)/)[0]!;
      exported.push({ name, doc, text: found + rest });
    }
  }
}, 60_000);

/** Every public function and method, with the docstring of its class. */
function callables(): (Documented & { readonly about: string })[] {
  const everything = documentedIn(all);
  return exported.flatMap(({ name, doc, text }) => {
    // The presets and the `config()` of `landlock` are declared elsewhere.
    const others = [...text.matchAll(/: typeof (\w+);/g)].map(([, other]) => other!);
    const elsewhere = everything.filter((one) => others.includes(one.name));
    const prefixed = [...documentedIn(text), ...elsewhere].map((one) => ({
      ...one,
      name: one.name === name ? name : `${name}.${one.name}`,
      about: doc,
    }));
    // Overloads share the errors of one docstring.
    return prefixed.map((one) => {
      const docs = prefixed.filter((other) => other.name === one.name).map((other) => other.doc);
      return { ...one, about: [one.about, ...docs].join("\n") };
    });
  });
}

describe("every export", () => {
  test("has a docstring", () => {
    expect(exported.length).toBeGreaterThan(60);
    expect(exported.filter(({ doc }) => doc.trim() === "").map(({ name }) => name)).toEqual([]);
  });

  test("that can be called is found, with its parameters", () => {
    const found = new Map(callables().map(({ name, parameters }) => [name, parameters]));
    expect(found.get("roDirs")).toEqual(["paths"]);
    expect(found.get("Config.restrict")).toEqual(["rules"]);
    expect(found.get("planFor")).toEqual(["config", "rules", "kernel"]);
    expect(found.get("presets.dns")).toEqual(["options"]);
    expect(found.get("permissions.has")).toEqual(["scope", "reference"]);
    expect(found.get("landlock.config")).toEqual(["rights"]);
    expect(found.get("LandlockError.constructor")).toEqual(["code", "problem", "details"]);
  });

  test("that can be called has each parameter described", () => {
    const missing = callables().flatMap(({ name, parameters, about }) =>
      parameters
        .filter((parameter) => !new RegExp(`@param ${parameter}\\s+\\S`).test(about))
        .map((parameter) => `${name}: ${parameter}`),
    );
    expect(missing).toEqual([]);
  });

  test("that can fail has its errors named, with their codes", () => {
    // Any parameter can be invalid, so an error must be documented; an error class only stores it.
    const failing = callables().filter(
      ({ name, parameters }) => parameters.length > 0 && !name.startsWith("LandlockError"),
    );
    const silent = failing.filter(
      ({ about }) => !/throws? [^]*(ERR_LANDLOCK_|same errors as `)/.test(about),
    );
    expect(failing.length).toBeGreaterThan(25);
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});
