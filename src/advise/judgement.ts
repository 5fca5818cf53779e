/** What a person is told about something that a command used, or tried: explain and learn ask here. */
import type { FsRight } from "../kernel/abi.ts";
import type { Operation } from "../model/operation.ts";
import { cgroups } from "./changing.ts";
import {
  changes,
  isGoverning,
  isVersionControl,
  leadsToGoverning,
  mayHoldGoverning,
} from "./governing.ts";
import { isTemporary, isWide, temporaryFolders, type Surroundings } from "./zones.ts";

/**
 * `needed`: a rule is advised; `harmless`: the program went on without it; `secret`, `too wide`: a
 * person has to decide; `not this sandbox`: proven; `unknown`: it cannot be told.
 */
export type Verdict =
  "needed" | "harmless" | "secret" | "too wide" | "not this sandbox" | "unknown";

/** Why something is not advised: what it comes to, and what to say, before a list of it. */
const reasons = {
  secret: [
    "secret",
    "it is secret, or a socket that gives the rights of others, such as root's. Add what the program really needs",
  ],
  wide: ["too wide", "too much is in it. Add a part of it that will do"],
  later: [
    "too wide",
    "it decides what runs later, outside of the sandbox. Most programs do without writing there, or take a folder of the project, as bun install --cache-dir does. If yours does not, add it for writing",
  ],
  governing: [
    "too wide",
    "what is in it decides what runs later, outside of the sandbox, such as .git/hooks. Have files made in a directory of their own, which is emptied rather than removed, or add it for writing",
  ],
  exposing: [
    "too wide",
    "it holds secrets, which a rule for it would open. Move them, or add the files that the program really needs",
  ],
  link: [
    "too wide",
    "hard links to files that are only read here, which could then be written. Most programs copy instead. If yours does not, add it for writing, with refer",
  ],
  name: [
    "unknown",
    "its name is not UTF-8, as options and policies are. Rename it, or add a directory above",
  ],
  process: [
    "too wide",
    "what /proc says of one process, which is another one each time. Only a rule for all of /proc has it, and that of all other processes",
  ],
  own: [
    "harmless",
    "a process sets it of itself, as the names of its threads. Most programs do without",
  ],
  terminal: [
    "too wide",
    "a terminal, and the next run has another one. The command's own is /dev/tty. A rule for /dev/pts would be for all terminals",
  ],
  temporary: ["too wide", "its name was drawn at random, and the next run has another one"],
  changed: [
    "unknown",
    "the command changed where this leads, so what it used cannot be told. Add what it really needs",
  ],
  barred: [
    "too wide",
    "no rule can allow it: Landlock denies changes of mounts, and tracing processes outside. Do it around landlock-restrict",
  ],
  listing: ["harmless", "only its names were read, which most programs do without"],
  port: ["too wide", "the kernel picks another port each time. Let the server have a fixed one"],
} as const satisfies Readonly<Record<string, readonly [Verdict, string]>>;

/** Why something is not advised. */
export type Reason = keyof typeof reasons;

/** Something that was used or asked for, and is not advised. */
export interface Withheld {
  /** A path, a port as `"connect_tcp 41234"`, or a call. */
  readonly what: string;
  readonly rights: readonly FsRight[];
  /** The name of the secret that it is by a hard link. */
  readonly same?: string;
  readonly reason: Reason;
}

/** What a reason comes to. */
export function verdictOf(reason: Reason): Verdict {
  return reasons[reason][0];
}

/** What is withheld for each reason, with what to say of it. */
export function byReason(
  withheld: readonly Withheld[],
): { readonly reason: Reason; readonly text: string; readonly some: readonly Withheld[] }[] {
  return (Object.keys(reasons) as Reason[]).flatMap((reason) => {
    const some = withheld.filter((one) => one.reason === reason);
    return some.length === 0 ? [] : [{ reason, text: reasons[reason][1], some }];
  });
}

/** All that a listing needs. */
export const listing: ReadonlySet<FsRight> = new Set(["read_dir"]);

/**
 * Why rights on a path are not advised; nothing if they are.
 *
 * @param made Whether the run made it, a directory: what is in it is the run's own
 */
export function reasonAgainst(
  path: string,
  rights: ReadonlySet<FsRight>,
  around: Surroundings,
  made = false,
): Reason | undefined {
  const { home, secrets, tmp = "/tmp" } = around;
  if (secrets.has(path)) return "secret";
  if (isTemporary(path, [tmp, ...temporaryFolders], around)) return "temporary";
  if (isWide(path, around)) {
    if (rights.isSubsetOf(listing)) return "listing";
    if (path !== tmp) return "wide";
  }
  if (!changes(rights)) return undefined;
  if (path === cgroups) return "wide";
  if (isGoverning(path, home)) return "later";
  // Those who commit write there.
  if (isVersionControl(path)) return undefined;
  const mayHold = made ? leadsToGoverning(path, home) : mayHoldGoverning(path, home, true);
  return mayHold ? "governing" : undefined;
}

/** The name of a thread. */
const ownName = /^\/proc\/(self|thread-self|\d+)(\/task\/\d+)?\/comm$/;

/**
 * Whether a denial makes no difference: asking devices that know no ioctl(2) whether they are
 * terminals; naming a thread; Bun, listing the directories above the current one for settings, or
 * asking how much memory it has.
 *
 * @param cwd The current directory
 */
export function isHarmlessProbe(operation: Operation, program: string, cwd: string): boolean {
  if (operation.kind === "open" && operation.write && ownName.test(operation.path)) return true;
  if (operation.kind === "ioctl") return /^\/dev\/(null|zero|full)$/.test(operation.path);
  if (operation.kind !== "open" || !/^bunx?$/.test(program)) return false;
  if (/^\/proc\/(self|\d+)\/statm$/.test(operation.path)) return true;
  const path = operation.path.replace(/\/*$/, "/");
  return path !== `${cwd}/` && `${cwd}/`.startsWith(path);
}
