/**
 * Makes the first statement of each published file, which rejects other runtimes with a clear
 * message.
 */

const needed = "1.4";

/**
 * The check has lines of its own because a runtime prints the line that throws. A block keeps its
 * names local.
 */
function check(condition: string, bun: string, otherwise: string): string {
  return `if (${condition}) {
  const runtime =
    typeof Bun === "object" ? ${bun}
    : typeof Deno === "object" ? "Deno " + Deno.version.deno
    : typeof process === "object" && process.versions ? "Node " + process.versions.node
    : "a browser";
  const message = "bun-landlock needs Bun ${needed} or newer, this is " + runtime;
  ${otherwise}
}
`;
}

const isOther = `typeof Bun !== "object" || Bun.semver.order(Bun.version, "${needed}.0-0") < 0`;

const end = (name: string, status: number) =>
  `console.error("${name}: " + message);\n  process.exit(${status});`;

/** What each entry does in another runtime. */
const otherwise: Readonly<Record<string, string>> = {
  // Without stack frames, so that runtimes don't print the code around them.
  index: `const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new Error(message);
  Error.stackTraceLimit = limit;
  throw error;`,
  preload: end("bun-landlock/preload", 1),
  cli: end("landlock-restrict", 125),
};

/** Moves a bundle's imports to its front, each name as a statement that replaces its import. */
export function withoutImports(
  text: string,
  statement: (name: string, as: string, module: string) => string,
): string {
  const statements: string[] = [];
  const rest = text
    .replace(/^\/\/ @bun\n/, "")
    .replaceAll(/import\{([^}]+)\}from"([\w:/.-]+)";?/g, (_, names: string, module: string) => {
      for (const each of names.split(",")) {
        const [name, as = name] = each.split(" as ") as [string, string?];
        statements.push(statement(name, as, module));
      }
      return "";
    });
  return statements.join("") + rest;
}

/**
 * A name of a module of Bun or Node. Functions of Node's modules load their module when they are
 * called: node:fs alone takes 3 ms, and few programs need it.
 */
export function builtIn(name: string, as: string, module: string): string {
  const loaded = `process.getBuiltinModule("${module}").${name}`;
  const isLate = module !== "bun:ffi" && /^[a-z]\w*$/.test(name) && isFunction(name, module);
  return `const ${as}=${isLate ? `(...v)=>${loaded}(...v)` : loaded};`;
}

function isFunction(name: string, module: string): boolean {
  const found: unknown = process.getBuiltinModule(module);
  return typeof (found as Record<string, unknown>)[name] === "function";
}

/**
 * Puts the check in front of a bundle and replaces imports of Bun's and Node's modules. An import
 * that finds no module would fail before the first statement.
 */
export function withRuntimeCheck(entry: string, text: string): string {
  const first = check(isOther, '"Bun " + Bun.version', otherwise[entry]!);
  return `// @bun\n${first}${withoutImports(text, builtIn)}`;
}

/** What require() loads in other runtimes, and in bundles for other runtimes. */
export const otherRuntime = check(
  "true",
  '"a bundle for another runtime: build it with --target=bun"',
  otherwise["index"]!,
);
