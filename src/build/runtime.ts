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

/**
 * Puts the check in front of a bundle and turns imports of Bun's and Node's modules into later
 * calls. An import that finds no module would fail before the first statement.
 */
export function withRuntimeCheck(entry: string, text: string): string {
  const [first] = text.match(/^(?:\/\/ @bun\n)?/)!;
  const asked: string[] = [];
  const rest = text
    .slice(first.length)
    .replaceAll(/import\{([^}]+)\}from"([\w:/]+)";?/g, (_, names: string, module: string) => {
      const pattern = names.replaceAll(" as ", ":");
      asked.push(`const{${pattern}}=process.getBuiltinModule("${module}");`);
      return "";
    });
  return [first, check(isOther, '"Bun " + Bun.version', otherwise[entry]!), ...asked, rest].join(
    "",
  );
}

/** What require() loads in other runtimes, and in bundles for other runtimes. */
export const otherRuntime = check(
  "true",
  '"a bundle for another runtime: build it with --target=bun"',
  otherwise["index"]!,
);
