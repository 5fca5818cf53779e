/** The findings of an explained run, as plain data and as text. */
import { printable } from "../../errors/errors.ts";
import { machineFiles } from "../../model/files.ts";
import type { Denial } from "../../model/model.ts";
import type { Operation } from "../../model/operation.ts";
import { normalPath } from "../../kernel/names.ts";
import type { Screen } from "../../terminal/screen.ts";
import { table, type Column } from "../../terminal/table.ts";
import { cutEnd, cutMiddle, cutStart, paint, pasteable } from "../../terminal/text.ts";
import type { Advice } from "./advice.ts";
import type { CountedBar } from "./barred-log.ts";
import type { Counted, Denied, Failures, OtherFailure } from "./denied.ts";
import type { Verdict } from "../../advise/judgement.ts";
import type { Ending } from "../../trace/observation.ts";

/** All findings about a run. */
export interface Findings extends Failures {
  /** What no rule can allow. */
  readonly barred: readonly CountedBar[];
  /** The number of failed operations on unknown files. */
  readonly lost: number;
  /** Whether the command accessed the trace, so that the findings may be forged. */
  readonly isForged: boolean;
  readonly advice: Advice;
  readonly ending: Ending;
  /** Further information, in sentences. */
  readonly notes: readonly string[];
}

/**
 * The findings as one line of JSON, because other lines on standard error belong to the command.
 * Control characters are escaped, and a byte 0xff that isn't UTF-8 becomes `\\udcff`.
 *
 * @param more Further fields
 */
export function findingsJson(findings: Findings, more: object): string {
  const { denied, barred, others, advice, ending, notes } = findings;
  const text = JSON.stringify({
    ...ending,
    denied: [
      ...denied.map(({ denials, ...one }, i) => ({
        ...one,
        rights: rightsOf({ ...one, denials }),
        denials,
        verdict: advice.verdicts[i],
        flags: advice.flags[i],
      })),
      ...barred.map((one) => ({
        ...one,
        ...{ rights: [], denials: [], flags: [] },
        verdict: ending.exitCode === 0 ? "harmless" : "too wide",
      })),
    ],
    others: others.map((one) => ({ ...one, verdict: verdictOn(one) })),
    flags: advice.all,
    policy: advice.policy,
    withheld: advice.withheld,
    notes,
    ...more,
  });
  return printable(text);
}

/** The name of an operation in the table. */
function nameOf(operation: Operation, rights: readonly string[] = []): string {
  switch (operation.kind) {
    case "open":
      if (rights.includes("read_dir")) return "list";
      if (rights.includes("make_reg") || operation.unnamed) return "create";
      return operation.write || operation.truncate ? "write" : "read";
    case "make":
      return operation.type === "directory" ? "mkdir" : "create";
    case "port":
      return operation.access.map((right) => right.replace(/_.*/, "")).join(" ");
    case "resolve_unix":
      return "connect";
    case "scope":
      return operation.scope === "signal" ? "signal" : "connect";
    default:
      return operation.kind;
  }
}

function rightsOf({ denials }: Pick<Denied, "denials">): readonly string[] {
  return [...new Set(denials.map(({ right }) => right))];
}

function whereOf({ operation, denials = [] }: Counted & Partial<Denied>): string {
  if (operation.kind === "port") return `port ${operation.port}`;
  if (operation.kind === "scope") return "outside the sandbox";
  const to = operation.kind === "rename" || operation.kind === "link" ? ` → ${operation.to}` : "";
  if (operation.kind === "execute")
    return printable(operation.path + programIn(denials, operation));
  return printable(operation.path + to);
}

/** The denied interpreter or loader, unless the file itself was denied. */
function programIn(denials: readonly Denial[], { path }: { readonly path: string }): string {
  const places = denials.flatMap((denial) => denial.path ?? []);
  const own = machineFiles.find(path, true).path;
  return places.length === 0 || places.includes(own) ? "" : ` → ${places[0]!}`;
}

/** The last column is left out if nothing is advised. */
const columns: readonly Column[] = [
  { head: "DENIED" },
  { head: "RIGHT", cut: cutEnd, least: 10, style: "dim" },
  { head: "WHERE", cut: cutMiddle, least: 16, style: "cyan" },
  { head: "TIMES", align: "right" },
  { head: "PROGRAM", cut: cutEnd },
  { head: "ALLOWED BY", cut: cutPath, least: 16, style: "green" },
];

/** Keeps the option and the end of its path. */
function cutPath(words: string, width: number): string {
  const [option = ""] = /^(?:[-+]\S+ )*/.exec(words) ?? [];
  const room = width - option.length;
  return room > 1 ? option + cutStart(words.slice(option.length), room) : cutEnd(words, width);
}

/** More rows would be too many to read. */
const rowsMax = 60;
/** This many rows that differ only in their files are combined. */
const manyRows = 4;

/** Combines rows that differ only in their programs, or in many files. */
function rowsOf({ denied, barred, advice }: Findings): string[][] {
  const rows = [...denied.map((one, i) => rowOf(one, advice, i)), ...barred.map(barredRow)];
  const places = Map.groupBy(rows, ({ name, right, where, allowed }) =>
    JSON.stringify([name, right, where, allowed]),
  );
  const once = [...places.values()].map(together);
  const kinds = Map.groupBy(once, ({ name, right, allowed }) =>
    JSON.stringify([name, right, allowed]),
  );
  const few = [...kinds.values()].flatMap((group) => {
    if (group.length < manyRows) return group;
    const where = `${commonPlace(group.map((row) => row.real))} (${group.length} files)`;
    return { ...together(group), where };
  });
  return few.map(({ name, right, where, times, programs, allowed }) => {
    const [first, ...more] = programs;
    const others = more.length > 1 ? ` +${more.length}` : more.map((one) => `, ${one}`).join("");
    return [name, right, where, String(times), `${first}${others}`, allowed];
  });
}

interface Row {
  readonly name: string;
  readonly right: string;
  readonly where: string;
  /** The path without symbolic links. */
  readonly real: string;
  readonly times: number;
  readonly programs: readonly string[];
  readonly allowed: string;
}

function together(rows: readonly Row[]): Row {
  return {
    ...rows[0]!,
    times: rows.reduce((sum, { times }) => sum + times, 0),
    programs: [...new Set(rows.flatMap(({ programs }) => programs))],
  };
}

function rowOf(one: Denied, { flags, verdicts, policy }: Advice, i: number): Row {
  const rights = rightsOf(one);
  return {
    name: nameOf(one.operation, rights),
    right: rights.join(" "),
    where: whereOf(one) + linkedTo(one),
    real: printable(one.denials[0]?.path ?? ""),
    times: one.times,
    programs: [printable(one.program)],
    allowed: flags[i]!.length > 0 ? pasteable(flags[i]!) : remedyWithout(one, verdicts[i]!, policy),
  };
}

/** The target of a link, because rules apply to that file. */
function linkedTo({ operation, denials: [first] }: Denied): string {
  if (operation.kind !== "open" || first?.path === undefined) return "";
  if (!/^(read_|write_|truncate)/.test(first.right)) return "";
  const named = normalPath(operation.path);
  // In /proc this is only another name of the same directory.
  if (first.path === named || /^\/proc\//.test(named)) return "";
  if (machineFiles.find(named, true).path !== first.path) return "";
  return ` (a link to ${printable(first.path)})`;
}

function barredRow({ operation, program, times }: CountedBar): Row {
  const { kind, call, path } = operation;
  const where = kind === "mount" ? printable(path ?? "") : "outside the sandbox";
  const programs = [printable(program)];
  return { name: call, right: "", where, real: where, times, programs, allowed: "no rule" };
}

function remedyWithout({ operation }: Denied, verdict: Verdict, policy: string): string {
  if (operation.kind === "scope") return "leaving out -scoped";
  if (verdict !== "unknown") return "yours to decide, see below";
  return policy === "" ? "see below" : "a policy, see below";
}

/** The directory that contains all of the paths. */
function commonPlace(paths: readonly string[]): string {
  const names = paths.map((path) => path.split("/"));
  const shared = names[0]!.findIndex((name, i) => names.some((other) => other[i] !== name));
  return `${names[0]!.slice(0, shared).join("/")}/…`;
}

/** The findings as text for people. */
export function findingsText(findings: Findings, screen: Screen, inPolicy: boolean): string {
  const { denied, barred, others, lost, advice, ending, notes } = findings;
  const title = (text: string, style: "green" | "yellow") =>
    `${paint(style, "landlock-restrict:", screen)} ${text}`;
  const lines = [];
  const mayBeOurs = ({ cause }: OtherFailure) => !ofOthers.includes(cause);
  const times = [...denied, ...barred].reduce((sum, one) => sum + one.times, 0);
  const what = times === 1 ? "1 operation" : `${times} operations`;
  const worked = ending.exitCode === 0;
  if (worked) {
    const rest = times > 0 ? ` It worked without ${what} that Landlock denied:` : "";
    lines.push(title(`It worked: nothing needs adding.${rest}`, "green"));
  } else if (times > 0) lines.push(title(`Landlock denied ${what}:`, "yellow"));
  else if (lost > 0 || others.some(mayBeOurs)) {
    lines.push(title("Landlock may have denied something: see below.", "yellow"));
  } else lines.push(title("Landlock denied nothing.", "green"));
  if (times > 0) {
    const rows = rowsOf(findings).map((row) => (worked ? row.slice(0, -1) : row));
    const shown = worked ? columns.slice(0, -1) : columns;
    lines.push("", ...table(shown, rows.slice(0, rowsMax), screen));
    const left = rows.length - rowsMax;
    if (left > 0) lines.push(`and ${left} more rows: --json has all of them`);
  }
  if (advice.all.length > 0) {
    lines.push("", "To allow it, add:", `  ${paint("green", pasteable(advice.all), screen)}`);
  }
  const isIncomplete = advice.verdicts.some(
    (verdict, i) => verdict === "unknown" && advice.flags[i]!.length === 0,
  );
  if ((inPolicy || isIncomplete) && advice.policy !== "") {
    const policy = advice.policy.split("\n").map((line) => `  ${paint("green", line, screen)}`);
    const intro = advice.all.length > 0 ? "In a policy, that is:" : "In a policy, this allows it:";
    lines.push("", intro, ...policy);
  }
  if (notes.length > 0) lines.push("", ...notes);
  for (const [head, about] of Object.entries(heads)) {
    const some = others.filter(({ cause }) => about.includes(cause));
    if (some.length > 0) lines.push("", othersLine(head, some));
  }
  return lines.join("\n");
}

/** The number of other failures to name. */
const othersMax = 3;

/** Causes other than this sandbox. */
const ofOthers: readonly OtherFailure["cause"][] = ["permission", "nested"];

function verdictOn({ cause }: OtherFailure): Verdict {
  if (cause === "process") return "too wide";
  return ofOthers.includes(cause) ? "not this sandbox" : "unknown";
}

/** The headings for failures without a row, by cause. */
const heads: Readonly<Record<string, readonly OtherFailure["cause"][]>> = {
  "Denied, and no rule can allow it": ["process"],
  "Failed, but not by this sandbox": ofOthers,
  "Failed for a reason not known": ["unknown", "changed"],
};

const causes = {
  process: "a process outside the sandbox",
  permission: "ordinary permissions",
  nested: "a sandbox of its own",
  changed: "the command changed where it leads",
} as const;

function othersLine(head: string, others: readonly OtherFailure[]): string {
  const named = others.slice(0, othersMax).map((one) => {
    const cause = one.cause === "unknown" ? one.errno : causes[one.cause];
    return `${nameOf(one.operation)} ${whereOf(one)} (${printable(one.program)}: ${cause})`;
  });
  const more = others.length > othersMax ? `, and ${others.length - othersMax} more` : "";
  return `${head}: ${named.join(", ")}${more}.`;
}
