/** What is said about a learned policy, beside its rules: in the file, and on the terminal. */
import type { Draft, Withheld } from "../advise/draft.ts";
import type { Names } from "./names.ts";

const reasons: Readonly<Record<Withheld["reason"], string>> = {
  secret:
    "Used, but not granted: it is secret, or a socket that gives the rights of others, such as root's. Add what the program really needs, as to roFiles, or to paths with resolve_unix:",
  wide: "Used, but not granted: too much is in it. Add a part of it that will do:",
  later:
    "Used, but not granted for writing: it decides what runs later, outside of the sandbox. Most programs do without, or take a folder of the project, as bun install --cache-dir does. If yours does not, add it to rw:",
  governing:
    "Used, but not granted: what is in it decides what runs later, outside of the sandbox, such as .git/hooks. Have files made in a directory of their own, which is emptied rather than removed, or add it to rw:",
  link: "Used, but not granted: hard links to files that are only read here, which could then be written. Most programs copy instead. If yours does not, add it to rw, with refer:",
  name: "Used, but not granted: its name is not UTF-8, as all names in policies are. Rename it, or add a directory above:",
  process:
    "Used, but not granted: what /proc says of one process, which is another one each time. Only a rule for all of /proc has it, and that of all other processes:",
  own: "Used, but not granted: a process sets it of itself, as the names of its threads. Most programs do without:",
  terminal:
    "Used, but not granted: a terminal, and the next run has another one. The command's own is /dev/tty. A rule for /dev/pts would be for all terminals:",
  temporary:
    "Used, but not granted: its name was drawn at random, and the next run has another one:",
  changed:
    "Used, but not granted: the command changed where this leads, so what it used cannot be told. Add what it really needs:",
  barred:
    "Used, but no policy can allow it: Landlock denies changes of mounts, and tracing processes outside. Do it around landlock-restrict:",
  listing: "Listed, but not granted, which most programs do without:",
  port: "Used, but not granted: the kernel picks another port each time. Let the server have a fixed one:",
};

/**
 * What a person should know, as lines: what was left out, and what comes along.
 *
 * @param names Writes paths as the policy does
 * @param policy The policy's file, where the program can write to it
 * @param fragile Directories that the run makes, and that rules of a person take for granted
 * @param programs Programs that choose what presets grant, and that can be changed
 */
export function notes(
  draft: Draft,
  names: Names,
  policy: string | undefined,
  programs: readonly string[],
  fragile: readonly string[],
): string[] {
  const lines = Object.entries(reasons).flatMap(([reason, text]) => {
    const some = draft.withheld.filter((one) => one.reason === reason);
    if (some.length === 0) return [];
    if (reason !== "listing") return [text, ...some.map((one) => `  ${withheldText(one, names)}`)];
    return [text, `  ${some.map(({ what }) => JSON.stringify(names.write(what))).join(", ")}`];
  });
  if (draft.exposed.length > 0) {
    lines.push(
      "Careful: secrets that come with a directory above. Move them, or let the program work elsewhere:",
      ...draft.exposed.map((path) => `  ${names.write(path)}`),
    );
  }
  if (draft.unsearched.length > 0) {
    lines.push(
      "Careful: directories with too many files to look through for secrets:",
      ...draft.unsearched.map((path) => `  ${names.write(path)}`),
    );
  }
  if (fragile.length > 0) {
    lines.push(
      'Careful: the run makes these directories, and the policy needs them to be there. Put them under paths with ifMissing = "create":',
      ...fragile.map((path) => `  ${names.write(path)}`),
    );
  }
  if (draft.governing.length > 0) {
    lines.push(
      "Careful: the program can write what decides what runs later, outside of the sandbox. Read it before you run anything there; commits are safer in a clone that you fetch from:",
      ...draft.governing.map((path) => `  ${names.write(path)}`),
    );
  }
  if (draft.terminals) {
    lines.push(
      "Careful: the program makes terminals, and gets those of all others of its user with them:",
      "  /dev/pts",
    );
  }
  if (policy !== undefined) {
    lines.push(
      "Careful: the program can write to its own policy. Keep that elsewhere:",
      `  ${names.write(policy)}`,
    );
  }
  if (programs.length > 0) {
    lines.push(
      "Careful: a run can change these programs, and so choose what executable grants the next one. Keep them elsewhere:",
      ...programs.map((path) => `  ${names.write(path)}`),
    );
  }
  if (draft.unseen.length > 0) {
    lines.push(
      "Not seen: what these programs did by way of io_uring(7), which may need more:",
      ...draft.unseen.map((path) => `  ${path}`),
    );
  }
  return lines;
}

function withheldText({ what, rights, same }: Withheld, names: Names): string {
  if (!what.startsWith("/")) return what;
  const written = (path: string) => JSON.stringify(names.write(path));
  const also = same === undefined ? "" : `, the same file as ${written(same)}`;
  return `${written(what)}${also}: ${rights.join(", ")}`;
}

/**
 * The comment at the top of a new policy. Arguments of the command may be secret, so only its name
 * is told.
 */
export function header(program: string): string[] {
  return [
    `What ${program} needs, as landlock-restrict learn saw it in one run. Read it before you rely on it:`,
    "another run may need more, and -merge adds that.",
    "Best effort: an older kernel restricts what it can. Without that line it fails there instead.",
  ];
}
