/** Which options would allow what was denied: as few, and as narrow, as a person would write. */
import { whereNamesChange } from "../../advise/changing.ts";
import { piecesFor } from "../fix.ts";
import type { Denial } from "../../model/model.ts";
import { fixOf, type Piece } from "../spell.ts";
import { assignWords } from "./assign.ts";
import { atomsOf, combined, joinFlags } from "./combine.ts";
import type { Counted, Denied } from "./denied.ts";
import { foldByNumber, foldPaths } from "./fold.ts";
import { isBun } from "./idle.ts";
import type { Trial } from "./trial.ts";
import { isWithheld } from "./withheld.ts";

/** What to add to a command line, or to a policy. */
export interface Advice {
  /** For each denied operation the words that allow it; none where there is no option for it. */
  readonly flags: readonly (readonly string[])[];
  /** The words that allow all of them. */
  readonly all: readonly string[];
  /** The same as lines of a policy in TOML, with what no option can say. */
  readonly policy: string;
}

/** Finds a program by its name, as on the command's PATH. */
export type Which = (name: string) => string | null;

/** More than any chain of rules each of which needs the next one. */
const roundsMax = 8;

/**
 * Finds options for what was denied, and tries them out on the model.
 *
 * @param all What the sandbox denied
 * @param sandbox It
 * @param granted Paths of its rules
 */
export function adviseOn(
  all: readonly Denied[],
  sandbox: Trial,
  granted: readonly string[],
  which: Which,
): Advice {
  const denied = all.filter((one) => isNameable(one) && !isWithheld(one));
  let pieces = presetsFor(denied, sandbox, granted, which);
  for (let round = 0; round < roundsMax; round++) {
    const more = piecesOf(denied, sandbox.with(combined(pieces)), granted);
    if (more.length === 0) break;
    pieces = atomsOf([...pieces, ...more], (path) => sandbox.files.find(path, true).path);
  }
  const rules = combined(pieces);
  const words = assignWords(denied, sandbox, pieces);
  return {
    flags: all.map((one) => words[denied.indexOf(one)] ?? []),
    all: joinFlags(rules.map((piece) => fixOf([piece]).flags)),
    policy: fixOf(rules).policy,
  };
}

/** Whether options and policies can hold the names that an operation is about: they are texts. */
export function isNameable({ operation, denials }: Denied): boolean {
  const paths = [
    "path" in operation ? operation.path : "",
    "to" in operation ? operation.to : "",
    ...denials.map(({ path = "" }) => path),
  ];
  return paths.every((path) => path.isWellFormed());
}

/** Presets by what they are for, and by how many different files one thinks of them. */
const presets = [
  { spec: "dns=ports", about: /^port 53$/, atLeast: 1 },
  { spec: "dns", about: /^\/etc\/(resolv|nsswitch|host|gai)\.conf$|^\/etc\/hosts$/, atLeast: 2 },
  { spec: "tls", about: /\/(ssl|pki|ca-certificates|crypto-policies)(\/|$)/, atLeast: 1 },
  { spec: "timezone", about: /\/zoneinfo(\/|$)|^\/etc\/(localtime|timezone)$/, atLeast: 1 },
];

function presetsFor(
  denied: readonly Denied[],
  sandbox: Trial,
  granted: readonly string[],
  which: Which,
): readonly Piece[] {
  const executed = denied.flatMap(({ operation }) =>
    operation.kind === "execute" ? [operation.path] : [],
  );
  const folded = foldByNumber([...new Set([...executed, ...granted])]);
  const { files } = sandbox;
  const shortest = (path: string) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const found = which(name);
    const isSame = found !== null && files.find(found, true).path === files.find(path, true).path;
    return isSame ? name : path;
  };
  const specs = denied.flatMap((one) => ownPreset(one, folded, shortest));
  const chosen: Piece[] = [...new Set(specs)].map((spec) => ({ kind: "preset", spec }));
  for (const path of new Set(executed.flatMap((one) => folded.get(one) ?? []))) {
    chosen.push({ kind: "verb", verb: "roDirs", with: [], paths: [path] });
  }
  for (const { spec, about, atLeast } of presets) {
    const preset: Piece = { kind: "preset", spec };
    const [without, granted] = [sandbox.with(chosen), sandbox.with([...chosen, preset])];
    const helped = denied.filter(
      (one) =>
        about.test(placeOf(one)) &&
        without.missing(one.operation).length > 0 &&
        granted.missing(one.operation).length === 0,
    );
    if (new Set(helped.map(placeOf)).size >= atLeast) chosen.push(preset);
  }
  return chosen;
}

/** Where something was denied, as the program named it. */
export function placeOf({ operation }: Counted): string {
  if (operation.kind === "port") return `port ${operation.port}`;
  return operation.kind === "scope" ? "" : operation.path;
}

/** A program to be executed; or a Bun that reads what `/proc` says of it, and aborts otherwise. */
function ownPreset(
  one: Denied,
  folded: ReadonlyMap<string, string>,
  shortest: (path: string) => string,
): string[] {
  const { operation, program } = one;
  if (operation.kind === "execute") {
    return folded.has(operation.path) ? [] : [`executable=${shortest(operation.path)}`];
  }
  const isAboutItself = /^\/proc\/(self|\d+)(\/|$)/.test(placeOf(one));
  return isBun(program) && isAboutItself ? ["bun=children"] : [];
}

/** The rules for what is still denied. */
function piecesOf(
  denied: readonly Denied[],
  sandbox: Trial,
  granted: readonly string[],
): readonly Piece[] {
  const { handled, files } = sandbox;
  const all = denied.map((one) => sandbox.missing(one.operation).map(lasting));
  const read = all.flatMap((denials) => denials.filter(isReading).map(({ path }) => path!));
  const folded = foldPaths([...new Set(read)], granted);
  // The same name for the same file, whichever of its names a program used.
  const names = new Map<string, string>();
  for (const one of denied) {
    const name = placeOf(one).replace(/(?<=.)\/$/s, "");
    if (!name.startsWith("/")) continue;
    const { path } = files.find(name, true);
    if (!names.has(path)) names.set(path, name);
  }
  return all.flatMap((denials): readonly Piece[] => {
    const directories = denials.flatMap((denial) => {
      if (!isReading(denial)) return [];
      const { path = "" } = denial;
      return whereNamesChange(`${path}/`) ?? folded.get(path) ?? procOf(path) ?? [];
    });
    if (denials.length > 0 && directories.length === denials.length) {
      return [{ kind: "verb", verb: "roDirs", with: [], paths: [...new Set(directories)] }];
    }
    const known = denials.flatMap(({ path }) => names.get(path ?? "") ?? []);
    return piecesFor(denials, files, { handled, names: known })[0] ?? [];
  });
}

/** The same, about the folder if names in it are other ones each time. */
function lasting(denial: Denial): Denial {
  const folder = whereNamesChange(denial.path ?? "");
  return folder === undefined ? denial : { ...denial, path: folder };
}

function isReading({ right, path }: Denial): boolean {
  return path !== undefined && (right === "read_file" || right === "read_dir");
}

/** The directory of one process is gone with it: a rule has to be about all. */
function procOf(path: string): string | undefined {
  return /^\/proc\/(\d+|self|thread-self)(\/|$)/.test(path) ? "/proc" : undefined;
}
