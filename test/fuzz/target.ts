/** What a fuzzed part looks like, and what holds for all of them. */
import { LandlockError } from "../../src/index.ts";
import type { FsRight, NetRight } from "../../src/kernel/abi.ts";
import { CompositeRule, FsRule, type Rule } from "../../src/sandbox/rules.ts";
import type { Random } from "../random.ts";

/** Something that takes input from outside. */
export interface Target<Input> {
  /** What to start with. */
  readonly seeds: readonly Input[];
  /** A new input, made of known ones. */
  mutate(random: Random, known: readonly Input[]): Input;
  /**
   * Tries an input.
   *
   * @returns What came of it, the same words for what is the same way through the code
   * @throws Where a promise is broken
   */
  check(input: Input): string;
  /** A smaller input that fails too. */
  shrink(input: Input, fails: (input: Input) => boolean): Input;
}

/** A promise that does not hold. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken: ${what}`);
}

/**
 * Input that is refused gets one sentence that names it, and nothing has changed.
 *
 * @returns What kind of refusal it is
 * @throws Where it is any other error
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

/** Rights by the names that policies have for them, written down once more. */
export const presetRights: Readonly<Record<string, readonly string[]>> = {
  ro: [...ro, "read_dir"],
  roFiles: ro,
  rwFiles: rw,
  rw: [...rw, "read_dir", ...inFolders, ...makes],
};

/** One right on one path or port, to be compared. */
export function grant(place: string | number, right: string): string {
  return `${typeof place === "number" ? place : comparable(place)}\0${right}`;
}

/** A path without what does not matter in it. */
function comparable(path: string): string {
  return `/${path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;
}

/** All that rules grant. */
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

/** Nothing is granted that was not named; `exact`: and all that was. */
export function compareGrants(granted: Set<string>, named: Set<string>, exact: boolean): void {
  const missing = [...named.difference(granted)];
  must(missing.length === 0, `what is named is granted: ${JSON.stringify(missing.slice(0, 3))}`);
  if (!exact) return;
  const extra = [...granted.difference(named)];
  must(extra.length === 0, `nothing else is granted: ${JSON.stringify(extra.slice(0, 3))}`);
}
