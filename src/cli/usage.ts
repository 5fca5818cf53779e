/** The help texts of `landlock-restrict` and its commands. */
import { version } from "../../package.json";
import { listOption, modifiers, pathRules, portRules, presetsAbout } from "../vocabulary.ts";

/** What `landlock-restrict --version` prints. */
export const versionLine = `landlock-restrict ${version}`;

/** The commands, each with its usage line and description. */
const helps = {
  explain: {
    line: "explain [--until-it-works [-o FILE]] [--json] [OPTION]... -- COMMAND [ARG]...",
    about: `Runs COMMAND in its sandbox under strace. Finally, it prints on standard error what was denied, and
which options would allow it.

  --until-it-works          add what is safe and run COMMAND again, at most 20 times, until it ends
                            with status 0; then print the command line
  -o FILE                   write a policy instead: something.toml
  --json                    print JSON, as the last line`,
    takesOptions: true,
  },
  learn: {
    line: "learn -o FILE [-merge] [-fd N...] [--json] -- COMMAND [ARG]...",
    about: `Runs COMMAND unrestricted under strace, and writes the policy that it needs.

  -o FILE                   where the policy goes: .json, .jsonc, .toml or .yaml
  -merge                    extend the existing policy
  -fd N...                  pass on these open descriptors besides 0, 1 and 2
  --json                    print on standard error, as JSON, what was learnt`,
    takesOptions: false,
  },
  plan: {
    line: "plan [--json] [OPTION]...",
    about: `Prints what this kernel would be asked to restrict, and what Landlock cannot restrict. Enforces
nothing and opens no path. With --json, it prints JSON.`,
    takesOptions: true,
  },
  status: {
    line: "status [--json]",
    about:
      "Prints what this kernel's Landlock can do, or why it cannot be used. With --json, it prints JSON.",
    takesOptions: false,
  },
} as const;

/** The commands' names. */
export const commands: readonly string[] = Object.keys(helps);

const row = (words: string, about: string) => `  ${words.padEnd(25)} ${about}\n`;
const rows = (table: object, more: string, before = "") =>
  Object.values(table as Readonly<Record<string, { option: string; about: string }>>)
    .map(({ option, about }) => row(option + more, before + about))
    .join("");

const options = `${rows(pathRules, " PATH...")}\
${row(`${listOption} PATH...`, "list these directories and those beneath, without reading files")}\
${rows(modifiers, "", "after one of the first four: ")}\
${rows(portRules, " PORT...")}${row("", "any instead of PORT: do not restrict this")}\
  -scoped                   signals and abstract UNIX sockets stay inside
  -policy FILE              restrict and allow what this policy says; the other options add to it,
                            -1 ... -11 replace its abi, -strict its bestEffort
  -preset NAME...           ${presetsAbout}
  -1 ... -11                restrict what this Landlock ABI can (default: -11)
  -strict                   fail if the kernel lacks some of it (default: do without)
  -allow-none               run COMMAND even if nothing at all can be restricted (default: fail)
  -clearenv                 clear the environment, except for what -env names
  -env NAME[=VALUE]...      pass this variable on, or set it
  -fd N...                  pass on these open descriptors besides 0, 1 and 2
  -l                        write denials of COMMAND to the audit log (ABI 7)
  -v                        print on stderr what is enforced
  -h                        print this, or the help of a command
  --version                 print the version`;

/** The names of all options, to suggest one for a mistyped word. */
export const optionNames: readonly string[] = options.match(/(?<=^  )--?[a-z][a-z-]*/gm)!;

const exitStatus = `Exit status: that of COMMAND; 125 if landlock-restrict fails, 126 if COMMAND cannot be
executed, 127 if it is not found.`;

/** What `landlock-restrict -h` prints. */
export const usage = `Usage:
  landlock-restrict [OPTION]... -- COMMAND [ARG]...
${Object.values(helps)
  .map(({ line }) => `  landlock-restrict ${line}`)
  .join("\n")}

Runs COMMAND, and everything it starts, with access to the named paths only. Paths are always
restricted. The network is restricted if one of its options is given, signals with -scoped. COMMAND
inherits no open files but standard input, output and error. explain does the same under strace,
and prints what was denied and which options would allow it. learn runs COMMAND unrestricted,
watches it, and writes the policy that it needs; -merge extends one. plan prints what this kernel
would be asked to restrict, and enforces nothing.

${options}

${exitStatus}`;

/**
 * The help that a command line asks for, with `-h`, `-help` or `--help` before the command, or
 * `help` as its first word.
 *
 * @param words The command line
 * @returns The text, or undefined if it asks for none
 */
export function helpFor(words: readonly string[]): string | undefined {
  const [first, second] = words;
  if (first === "help") return helpOf(second);
  for (const word of words) {
    if (word === "--") return undefined;
    if (word === "-h" || word === "-help" || word === "--help") return helpOf(first);
  }
  return undefined;
}

function helpOf(command: string | undefined): string {
  if (command === undefined || !Object.hasOwn(helps, command)) return usage;
  const { line, about, takesOptions } = helps[command as keyof typeof helps];
  const ending = takesOptions ? `\n\n${options}` : "";
  return `Usage:\n  landlock-restrict ${line}\n\n${about}${ending}${/COMMAND/.test(line) ? `\n\n${exitStatus}` : ""}`;
}
