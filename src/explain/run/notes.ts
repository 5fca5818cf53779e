/** Denials in disguise: what a program made of one, and what it looked like. */
import { printable } from "../../errors/errors.ts";
import type { Secrets } from "../../advise/secrets.ts";
import { isNameable, placeOf } from "./advice.ts";
import type { Failures } from "./denied.ts";
import type { Ending } from "../../trace/observation.ts";
import { withheldNotes } from "./withheld.ts";

/** A failure that does not look like a denial. */
interface Disguise {
  readonly program: RegExp;
  readonly place: RegExp;
  readonly note: string;
}

const disguises: readonly Disguise[] = [
  {
    program: /^bunx?$/,
    place: /^\/proc\/(self|\d+)(\/|$)/,
    note: "A Bun that cannot read /proc/self aborts: that was the SIGABRT.",
  },
  {
    program: /(?:)/,
    place: /^\/etc\/resolv\.conf$/,
    note: 'Looking up a host name fails with EAI_AGAIN, a "temporary failure in name resolution", where /etc/resolv.conf cannot be read.',
  },
  {
    program: /(?:)/,
    place: /^port 0$/,
    note: "Port 0 is any port that is free: a program that binds to it needs a rule for port 0.",
  },
];

const EXIT_SIGABRT = 134;

/** What is worth knowing about a run beside the table. */
export function notesOn(
  { denied, others }: Failures,
  { exitCode, signal }: Ending,
  secrets: Secrets,
): readonly string[] {
  const aborted = signal === "SIGABRT" || exitCode === EXIT_SIGABRT;
  const fitting = disguises.filter(({ program, place }) =>
    denied.some((one) => program.test(one.program) && place.test(placeOf(one))),
  );
  const unnameable = denied.filter((one) => !isNameable(one)).map(placeOf);
  const renamed = denied.some(({ errno }) => errno === "EXDEV");
  const changed = others.filter(({ cause }) => cause === "changed").map(placeOf);
  // A file that is gone by now cannot be judged.
  const moved = others.some(({ errno, cause }) => errno === "EXDEV" && cause === "unknown");
  const secret = new Set(denied.flatMap((one) => secrets.nameFor(placeOf(one)) ?? []));
  const named = [...secret].map((name) => {
    const same = secrets.sameAs(name);
    return same === undefined ? name : `${name}, the same file as ${same}`;
  });
  return [
    ...(secret.size > 0
      ? [
          `Careful: these are secrets, or sockets that give the rights of others. Allow only those that the program really needs: ${printable(named.join(", "))}.`,
        ]
      : []),
    ...fitting.map(({ note }) => note).filter((note) => aborted || !note.includes("SIGABRT")),
    ...withheldNotes(denied),
    ...(unnameable.length > 0
      ? [
          `Options and policies hold UTF-8 only, which ${printable(unnameable[0]!)} is not: rename it, or grant a directory above it.`,
        ]
      : []),
    ...(changed.length > 0
      ? [
          `The command changed where ${printable(changed[0]!)} leads, so no option is named for it: what that would open may not be what failed.`,
        ]
      : []),
    ...(moved && !renamed
      ? [
          "EXDEV may be another file system, or refer that is missing: add +refer to the options of both directories.",
        ]
      : []),
    ...(renamed
      ? ["EXDEV looks like another file system: programs copy and remove instead, where they may."]
      : []),
  ];
}
