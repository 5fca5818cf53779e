/** Notes on denials that programs turned into other errors. */
import { printable } from "../../errors/errors.ts";
import { terminals } from "../../advise/changing.ts";
import type { Coverage } from "../../advise/coverage.ts";
import { byReason, governingText, terminalsText, type Withheld } from "../../advise/judgement.ts";
import { placeOf, type Advice } from "./advice.ts";
import type { Failures } from "./denied.ts";
import type { Ending } from "../../trace/observation.ts";
import { bunNames } from "../../vocabulary.ts";

/** A failure that doesn't look like a denial. */
interface Disguise {
  readonly program: RegExp;
  readonly place: RegExp;
  readonly note: string;
}

const disguises: readonly Disguise[] = [
  {
    program: bunNames,
    place: /^\/proc\/(self|\d+)(\/|$)/,
    note: "Bun aborts if it cannot read /proc/self, which caused the SIGABRT.",
  },
  {
    program: /(?:)/,
    place: /^\/etc\/resolv\.conf$/,
    note: 'Looking up a host name fails with EAI_AGAIN, a "temporary failure in name resolution", if /etc/resolv.conf cannot be read.',
  },
  {
    program: /(?:)/,
    place: /^port 0$/,
    note: "Port 0 means any free port: a program that binds to it needs a rule for port 0.",
  },
];

const EXIT_SIGABRT = 134;

/** Notes about a run that the table doesn't show. */
export function notesOn(
  { denied, others }: Failures,
  { exitCode, signal }: Ending,
  { withheld, careful }: Pick<Advice, "withheld" | "careful">,
  already: Coverage,
): readonly string[] {
  const aborted = signal === "SIGABRT" || exitCode === EXIT_SIGABRT;
  const fitting = disguises.filter(({ program, place }) =>
    denied.some((one) => program.test(one.program) && place.test(placeOf(one))),
  );
  const renamed = denied.some(({ errno }) => errno === "EXDEV");
  const changed = others.filter(({ cause }) => cause === "changed").map(placeOf);
  // A removed file can't be judged.
  const moved = others.some(({ errno, cause }) => errno === "EXDEV" && cause === "unknown");
  const replaced = denied
    .flatMap(({ denials }) => denials)
    .flatMap(({ path, right }) =>
      path !== undefined && (already.rightsOn(path) as ReadonlySet<string>).has(right) ? path : [],
    );
  const governing = careful.filter((path) => path !== terminals);
  const other = denied.find(({ isOther }) => isOther);
  return [
    ...(replaced.length > 0
      ? [
          `The command replaced ${printable(replaced[0]!)}, but its rule applies to the old file: add a rule for its directory instead.`,
        ]
      : []),
    ...(other
      ? [`${printable(other.program)} became another user: ordinary permissions may deny the same.`]
      : []),
    ...fitting.map(({ note }) => note).filter((note) => aborted || !note.includes("SIGABRT")),
    ...withheldNotes(withheld),
    ...(careful.includes(terminals) ? [`${terminalsText}.`] : []),
    ...(governing.length > 0 ? [`${governingText}: ${printable(governing.join(", "))}.`] : []),
    ...(changed.length > 0
      ? [
          `The command changed where ${printable(changed[0]!)} leads, so no option is advised for it: it may grant another file than the one that failed.`,
        ]
      : []),
    ...(moved && !renamed
      ? [
          "EXDEV means another file system or a missing refer: for the latter, add +refer to the options of both directories.",
        ]
      : []),
    ...(renamed
      ? [
          "EXDEV looks like another file system, so programs copy and remove the file instead if they may.",
        ]
      : []),
  ];
}

/** The number of withheld paths to name for each reason. */
const namedMax = 5;

/** Names what isn't advised, because a person must decide about it. */
function withheldNotes(withheld: readonly Withheld[]): string[] {
  return byReason(withheld).map(({ text, some }) => {
    const named = some.slice(0, namedMax).map(({ what, same }) => {
      return same === undefined ? what : `${what}, the same file as ${same}`;
    });
    const more = some.length > namedMax ? `, and ${some.length - namedMax} more` : "";
    return `Not advised: ${text}: ${printable(named.join(", "))}${more}.`;
  });
}
