/** Policies: data that describes a Config and rules. */
import type { Config } from "../sandbox/config.ts";
import { errorFor, LandlockError } from "../errors/errors.ts";
import type { PolicyNotation } from "../errors/hints.ts";
import { atCaller } from "../validate/values.ts";
import { parse } from "../validate/parse.ts";
import { publicClass, PlainData } from "../validate/values.ts";
import type { Plan } from "../sandbox/plan.ts";
import { readFile, readValue, type Read } from "./read.ts";
import type { Report } from "../sandbox/report.ts";
import type { Rule } from "../sandbox/rules.ts";
import type { Ruleset } from "../sandbox/ruleset.ts";
import type { PathLike } from "../validate/values.ts";

/** A Config and its rules, made by `loadPolicy()` and `parsePolicy()`. Frozen plain data. */
export class Policy extends PlainData {
  static {
    publicClass(this, "Policy");
  }

  /** What is restricted, and how strictly. */
  readonly config: Config;
  /** What stays allowed; all paths are absolute. */
  readonly rules: readonly Rule[];
  readonly #source: string;
  readonly #notation: PolicyNotation;

  /** @internal */
  constructor({ config, rules, source, notation }: Read) {
    super();
    this.config = config;
    this.rules = Object.freeze(rules);
    this.#source = source;
    this.#notation = notation;
    Object.freeze(this);
  }

  /**
   * The plan that `restrict()` would follow on this kernel. Changes nothing and opens no path.
   *
   * @throws {LandlockError} The same errors as `config.plan()`, except that wrong rules are
   *   `ERR_LANDLOCK_INVALID_POLICY`
   */
  plan(): Plan {
    return this.#named(() => this.config.plan(...this.rules));
  }

  /**
   * Builds a ruleset without enforcing it.
   *
   * @throws {LandlockError} The same errors as `config.ruleset()`, except that wrong rules are
   *   `ERR_LANDLOCK_INVALID_POLICY`
   */
  ruleset(): Ruleset {
    return this.#named(() => this.config.ruleset(...this.rules));
  }

  /**
   * Restricts the whole process, irrevocably.
   *
   * @returns What was really done
   * @throws {LandlockError} The same errors as `config.restrict()`, except that wrong rules are
   *   `ERR_LANDLOCK_INVALID_POLICY`
   */
  restrict(): Report {
    return this.#named(() => this.config.restrict(...this.rules));
  }

  /** Makes errors name the policy and its keys instead of the library's methods. */
  #named<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof LandlockError)) throw error;
      throw errorFor(error, this.#notation, this.#source);
    }
  }
}

/** Settings of `parsePolicy()`. */
export interface PolicyOptions {
  /** The folder that relative paths start from; default: the current directory. */
  readonly base?: string;
}

/**
 * Reads a policy from data, such as parsed JSON. It accepts this library's format and the Landlock
 * project's.
 *
 * @param value The content of a policy file
 * @param options `base`: the folder that relative paths start from
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_POLICY` naming the invalid key
 * @see {@link https://github.com/landlock-lsm/landlockconfig}
 */
export function parsePolicy(value: unknown, options: PolicyOptions = {}): Policy {
  return atCaller(parsePolicy, () => {
    const { base = "." } = parse("policyOptions", options, "parsePolicy()");
    return new Policy(readValue(value, base, "parsePolicy()"));
  });
}

/**
 * Reads a policy from a `.json`, `.jsonc`, `.toml` or `.yaml` file, or from the key `landlock` of a
 * `package.json`. Relative paths in it start from the file's folder.
 *
 * @param path Absolute or relative to the current directory, or a `file:` URL
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if the file can't be read;
 *   `ERR_LANDLOCK_INVALID_POLICY` if it can't be parsed, or naming the invalid key
 */
export function loadPolicy(path: PathLike): Policy {
  return atCaller(loadPolicy, () => {
    const checked = parse("path", path, "loadPolicy()");
    return new Policy(readFile(checked instanceof URL ? Bun.fileURLToPath(checked) : checked));
  });
}
