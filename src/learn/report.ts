/** Notes about a learned policy, for the file and the terminal. */
import type { Draft } from "../advise/draft.ts";
import { byReason, governingText, terminalsText, type Withheld } from "../advise/judgement.ts";
import type { Names } from "./names.ts";

/**
 * What a person should know, as lines: what was left out, and what is granted along with other
 * things.
 *
 * @param names Writes paths as the policy does
 * @param policy The policy's file, if the program can write it
 * @param fragile Directories that the run makes, but that a person's rules require
 * @param programs Programs that decide what presets grant, and that can be changed
 */
export function notes(
  draft: Draft,
  names: Names,
  policy: string | undefined,
  programs: readonly string[],
  fragile: readonly string[],
): string[] {
  const lines = byReason(draft.withheld).flatMap(({ reason, text, some }) => {
    const heading = `Used, but not granted: ${text}:`;
    if (reason !== "listing")
      return [heading, ...some.map((one) => `  ${withheldText(one, names)}`)];
    return [heading, `  ${some.map(({ what }) => JSON.stringify(names.write(what))).join(", ")}`];
  });
  const cares: readonly (readonly [text: string, paths: readonly string[]])[] = [
    [
      "Careful: secrets in granted directories. Move them, or let the program work elsewhere:",
      draft.exposed,
    ],
    ["Careful: directories with too many files to look through for secrets:", draft.unsearched],
    [
      'Careful: the run makes these directories, and the policy needs them to be there. Put them under paths with ifMissing = "create":',
      fragile,
    ],
    [`${governingText}:`, draft.governing],
    [`${terminalsText}:`, draft.terminals ? ["/dev/pts"] : []],
    [
      "Careful: the program can write to its own policy. Keep that elsewhere:",
      policy === undefined ? [] : [policy],
    ],
    [
      "Careful: a run can change these programs, and so choose what executable grants the next one. Keep them elsewhere:",
      programs,
    ],
  ];
  for (const [text, paths] of cares) {
    if (paths.length > 0) lines.push(text, ...paths.map((path) => `  ${names.write(path)}`));
  }
  if (draft.unseen.length > 0) {
    lines.push(
      "Not seen: what these programs did through io_uring(7), which may need more:",
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
 * The comment at the top of a new policy. It only names the command, whose arguments may be secret.
 */
export function header(program: string): string[] {
  return [
    `What ${program} needs, as landlock-restrict learn saw it in one run. Read it before you rely on it:`,
    "another run may need more, and -merge adds that.",
    "Best effort: an older kernel restricts what it can. Without that line it fails there instead.",
  ];
}
