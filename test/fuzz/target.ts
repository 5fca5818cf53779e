/** The interface of a fuzzed part, and the checks they share. */
import { LandlockError } from "../../src/index.ts";
import type { FsRight, NetRight } from "../../src/kernel/abi.ts";
import { CompositeRule, FsRule, type Rule } from "../../src/sandbox/rules.ts";
import type { Random } from "../random.ts";

/** Code that takes input from outside. */
export interface Target<Input> {
  /** The first inputs. */
  readonly seeds: readonly Input[];
  /** A new input, derived from known ones. */
  mutate(random: Random, known: readonly Input[]): Input;
  /**
   * Tries an input.
   *
   * @returns The outcome, in the same words for the same path through the code
   * @throws If a promise is broken
   */
  check(input: Input): string;
  /** A smaller input that still fails. */
  shrink(input: Input, fails: (input: Input) => boolean): Input;
}

/** Thrown if a promise does not hold. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken: ${what}`);
}

/**
 * Input must be refused in one sentence that names it, with nothing changed.
 *
 * @returns The kind of refusal
 * @throws If it is any other error
 */
export function refusal(error: unknown): string {
  if (!(error instanceof LandlockError)) throw error;
  must(
    /^ERR_LANDLOCK_(INVALID_RULE|INVALID_POLICY|USAGE|PATH)$/.test(error.code),
    `${error.code} for bad input`,
  );
  must(!error.processChanged, "nothing has changed");
  must(error.message !== "" && !/\p{Cc}/u.test(error.message), "the message is one plain line");
  const place = /: ([a-z$][\w.[\]]*): /i.exec(error.message)?.[1]?.replaceAll(/\d+|\.\w+$/g, "");
  const gist = /(Parse error: \w+ \w+|\b(is|are|has|needs|stands|failed|makes|grants)) \w+ \w+/;
  return `${error.code} ${place} ${gist.exec(error.message)?.[0]}`;
}

const ro = ["execute", "read_file"] as const;
const rw = [...ro, "write_file", "truncate"] as const;
const inFolders = ["dir", "file"].map((kind) => `remove_${kind}` as const);
const makes = ["char", "dir", "reg", "sock", "fifo", "block", "sym"].map((kind) => `make_${kind}`);

/** Rights by their names in policies, written down a second time as a check. */
export const presetRights: Readonly<Record<string, readonly string[]>> = {
  ro: [...ro, "read_dir"],
  roFiles: ro,
  rwFiles: rw,
  rw: [...rw, "read_dir", ...inFolders, ...makes],
};

/** One right on one path or port, as a comparable text. */
export function grant(place: string | number, right: string): string {
  return `${typeof place === "number" ? place : comparable(place)}\0${right}`;
}

/** A path in a normal form. */
function comparable(path: string): string {
  return `/${path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;
}

/** Everything that rules grant. */
export function grantsOf(rules: readonly Rule[]): Set<string> {
  const all = rules.flatMap((rule): string[] => {
    if (rule instanceof CompositeRule) return [...grantsOf(rule.rules)];
    const access: readonly (FsRight | NetRight)[] = rule instanceof FsRule ? rule.access : [];
    if (rule instanceof FsRule) {
      return rule.paths.flatMap((path) => access.map((right) => grant(path, right)));
    }
    if (rule.kind !== "net") throw new Error("broken: a rule is of a kind that is known");
    return rule.ports.flatMap((port) => rule.access.map((right) => grant(port, right)));
  });
  return new Set(all);
}

/** Rules grant nothing that was not named; with `exact`, also everything that was. */
export function compareGrants(granted: Set<string>, named: Set<string>, exact: boolean): void {
  const missing = [...named.difference(granted)];
  must(missing.length === 0, `what is named is granted: ${JSON.stringify(missing.slice(0, 3))}`);
  if (!exact) return;
  const extra = [...granted.difference(named)];
  must(extra.length === 0, `nothing else is granted: ${JSON.stringify(extra.slice(0, 3))}`);
}
