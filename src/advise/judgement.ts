/** Decides what explain and learn tell a person about something that a command used or tried. */
import type { FsRight } from "../kernel/abi.ts";
import type { Operation } from "../model/operation.ts";
import { cgroups } from "./changing.ts";
import { changes, isGoverning, isVersionControl } from "./governing.ts";
import { toldBy } from "./secret-names.ts";
import { isTemporary, isWide, temporaryFolders, type Place, type Surroundings } from "./zones.ts";
import { bunNames } from "../vocabulary.ts";

/**
 * `needed`: a rule is advised. `harmless`: the program continued without it. `secret` and
 * `too wide`: a person must decide. `not this sandbox`: something else provably denied it.
 * `unknown`: it can't be told.
 */
export type Verdict =
  "needed" | "harmless" | "secret" | "too wide" | "not this sandbox" | "unknown";

/** For each reason against advice, its verdict and an explanation to put before a list. */
const reasons = {
  secret: [
    "secret",
    "it is a secret, or a socket whose server has more rights, such as root's. Add what the program really needs",
  ],
  wide: ["too wide", "it contains too much. Add only the part that the program needs"],
  later: [
    "too wide",
    "it decides what runs later, outside of the sandbox. Most programs work without writing there, or with a folder of the project, such as bun install --cache-dir. If yours does not, add it for writing",
  ],
  governing: [
    "too wide",
    "it contains files that decide what runs later, outside of the sandbox, such as .git/hooks. Let the program make files in their own directory, which is emptied instead of removed, or add it for writing",
  ],
  exposing: [
    "too wide",
    "it contains secrets, which a rule for it would grant. Move them, or add the files that the program really needs",
  ],
  link: [
    "too wide",
    "the program makes hard links from it, so files that are only read could be written. Most programs copy instead. If yours does not, add it for writing, with refer",
  ],
  name: [
    "unknown",
    "its name is not UTF-8, which options and policies must be. Rename it, or add a directory above",
  ],
  process: [
    "too wide",
    "it is the /proc directory of one process, and the next run has other processes. Only a rule for all of /proc grants it, together with all other processes",
  ],
  own: [
    "harmless",
    "a process sets it for itself, such as the names of its threads. Most programs work without it",
  ],
  terminal: [
    "too wide",
    "it is a terminal, and the next run has another one. The command's own is /dev/tty. A rule for /dev/pts grants all terminals",
  ],
  temporary: ["too wide", "its name is random, and the next run has another one"],
  changed: [
    "unknown",
    "the command changed where it leads, so it is unknown what it used. Add what it really needs",
  ],
  barred: [
    "too wide",
    "no rule can allow it: Landlock denies changing mounts, and tracing processes outside. Do it outside of landlock-restrict",
  ],
  listing: ["harmless", "only its names were read, which most programs can do without"],
  port: ["too wide", "the kernel picks another port each time. Give the server a fixed one"],
} as const satisfies Readonly<Record<string, readonly [Verdict, string]>>;

/** A warning to put before a list of writable files that decide what runs later. */
export const governingText =
  "Careful: the program can write files that decide what runs later, outside of the sandbox. Read them before you run anything there; commits are safer in a clone that you fetch from";

/** A warning for a rule that grants all terminals. */
export const terminalsText =
  "Careful: the program makes terminals, so it can use all terminals of its user";

/** Why something isn't advised. */
export type Reason = keyof typeof reasons;

/** Something that was used or denied, but isn't advised. */
export interface Withheld {
  /** A path, a port such as `"connect_tcp 41234"`, or a call. */
  readonly what: string;
  readonly rights: readonly FsRight[];
  /** The name of the secret that it is a hard link to. */
  readonly same?: string;
  readonly reason: Reason;
}

/** The verdict for a reason. */
export function verdictOf(reason: Reason): Verdict {
  return reasons[reason][0];
}

/** The explanation of a reason, for the start of a list of items. */
export function reasonText(reason: Reason): string {
  return reasons[reason][1];
}

/** The withheld items for each reason, with its explanation. */
export function byReason(
  withheld: readonly Withheld[],
): { readonly reason: Reason; readonly text: string; readonly some: readonly Withheld[] }[] {
  return (Object.keys(reasons) as Reason[]).flatMap((reason) => {
    const some = withheld.filter((one) => one.reason === reason);
    return some.length === 0 ? [] : [{ reason, text: reasonText(reason), some }];
  });
}

/** The only right that listing a directory needs. */
export const listing: ReadonlySet<FsRight> = new Set(["read_dir"]);

/**
 * Why rights on a path aren't advised, or undefined if they are.
 *
 * @param made Whether the run made it as a directory, so that its content is the run's own
 */
export function reasonAgainst(
  path: string,
  rights: ReadonlySet<FsRight>,
  around: Surroundings,
  made = false,
): Reason | undefined {
  const { secrets, governing, tmp = "/tmp" } = around;
  if (secrets.has(path)) return "secret";
  if (isTemporary(path, [tmp, ...temporaryFolders], around)) return "temporary";
  const byName = reasonByName(path, rights, around, tmp);
  if (byName || !changes(rights)) return byName;
  if (governing.has(path)) return "later";
  // Committing writes in a repository.
  if (isVersionControl(path) && !governing.leadInto(path)) return undefined;
  const mayHold = made
    ? governing.leadFrom(path) || governing.leadInto(path)
    : governing.mayHold(path, true);
  return mayHold ? "governing" : undefined;
}

/** Makes the same decision by names alone, for callers that can't read files. */
export function reasonByName(
  path: string,
  rights: ReadonlySet<FsRight>,
  place: Place,
  tmp?: string,
): Reason | undefined {
  if (toldBy(path).includes("secret")) return "secret";
  if (isWide(path, place)) {
    if (rights.isSubsetOf(listing)) return "listing";
    if (path !== tmp) return "wide";
  }
  if (!changes(rights)) return undefined;
  if (path === cgroups) return "wide";
  return isGoverning(path, place.home) ? "later" : undefined;
}

/** The name of a thread. */
const ownName = /^\/proc\/(self|thread-self|\d+)(\/task\/\d+)?\/comm$/;

/**
 * Whether a denial makes no difference. Programs ask devices without ioctl(2) whether they are
 * terminals, and name their threads. Bun lists parent directories for settings, and asks for its
 * memory use.
 *
 * @param cwd The current directory
 */
export function isHarmlessProbe(operation: Operation, program: string, cwd: string): boolean {
  if (operation.kind === "open" && operation.write && ownName.test(operation.path)) return true;
  if (operation.kind === "ioctl") return /^\/dev\/(null|zero|full)$/.test(operation.path);
  if (operation.kind !== "open" || !bunNames.test(program)) return false;
  if (/^\/proc\/(self|\d+)\/statm$/.test(operation.path)) return true;
  const path = operation.path.replace(/\/*$/, "/");
  return path !== `${cwd}/` && `${cwd}/`.startsWith(path);
}
