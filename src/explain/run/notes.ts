/** Denials in disguise: what a program made of one, and what it looked like. */
import { printable } from "../../errors/errors.ts";
import type { Coverage } from "../../advise/coverage.ts";
import { byReason, type Withheld } from "../../advise/judgement.ts";
import { placeOf } from "./advice.ts";
import type { Failures } from "./denied.ts";
import type { Ending } from "../../trace/observation.ts";
import { bunNames } from "../../vocabulary.ts";

/** A failure that does not look like a denial. */
interface Disguise {
  readonly program: RegExp;
  readonly place: RegExp;
  readonly note: string;
}

const disguises: readonly Disguise[] = [
  {
    program: bunNames,
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
  withheld: readonly Withheld[],
  already: Coverage,
): readonly string[] {
  const aborted = signal === "SIGABRT" || exitCode === EXIT_SIGABRT;
  const fitting = disguises.filter(({ program, place }) =>
    denied.some((one) => program.test(one.program) && place.test(placeOf(one))),
  );
  const renamed = denied.some(({ errno }) => errno === "EXDEV");
  const changed = others.filter(({ cause }) => cause === "changed").map(placeOf);
  // A file that is gone by now cannot be judged.
  const moved = others.some(({ errno, cause }) => errno === "EXDEV" && cause === "unknown");
  const replaced = denied
    .flatMap(({ denials }) => denials)
    .flatMap(({ path, right }) =>
      path !== undefined && (already.rightsOn(path) as ReadonlySet<string>).has(right) ? path : [],
    );
  const other = denied.find(({ isOther }) => isOther);
  return [
    ...(replaced.length > 0
      ? [
          `The command replaced ${printable(replaced[0]!)}, and a rule is for the file that was there before: only one for its directory lasts.`,
        ]
      : []),
    ...(other
      ? [`${printable(other.program)} became another user: ordinary permissions may deny the same.`]
      : []),
    ...fitting.map(({ note }) => note).filter((note) => aborted || !note.includes("SIGABRT")),
    ...withheldNotes(withheld),
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

/** So many of the paths that are not advised are named for each reason. */
const namedMax = 5;

/** What is not advised, by name: to add it is a person's decision. */
function withheldNotes(withheld: readonly Withheld[]): string[] {
  return byReason(withheld).map(({ text, some }) => {
    const named = some.slice(0, namedMax).map(({ what, same }) => {
      return same === undefined ? what : `${what}, the same file as ${same}`;
    });
    const more = some.length > namedMax ? `, and ${some.length - namedMax} more` : "";
    return `Not advised: ${text}: ${printable(named.join(", "))}${more}.`;
  });
}
