/** Policies: what a file says to restrict and to allow, as a Config and rules. */
import type { Config } from "../sandbox/config.ts";
import { atCaller, LandlockError, messageFor } from "../errors/errors.ts";
import { parse } from "../validate/parse.ts";
import { publicClass, PlainData } from "../sandbox/frozen.ts";
import type { Plan } from "../sandbox/plan.ts";
import { readFile, readValue, type Read } from "./read.ts";
import type { Report } from "../sandbox/report.ts";
import type { Rule } from "../sandbox/rule.ts";
import type { Ruleset } from "../sandbox/ruleset.ts";
import type { PathLike } from "../validate/values.ts";

/** A Config and its rules, as `loadPolicy()` and `parsePolicy()` make them. Frozen plain data. */
export class Policy extends PlainData {
  static {
    publicClass(this, "Policy");
  }

  /** What is restricted, and how strictly. */
  readonly config: Config;
  /** What stays allowed; paths are absolute. */
  readonly rules: readonly Rule[];
  readonly #source: string;

  /** @internal */
  constructor({ config, rules, source }: Read) {
    super();
    this.config = config;
    this.rules = Object.freeze(rules);
    this.#source = source;
    Object.freeze(this);
  }

  /**
   * What `restrict()` would ask this kernel. Changes nothing, opens no path.
   *
   * @throws {LandlockError} As `config.plan()`
   */
  plan(): Plan {
    return this.#named(() => this.config.plan(...this.rules));
  }

  /**
   * Builds a ruleset without enforcing it.
   *
   * @throws {LandlockError} As `config.ruleset()`
   */
  ruleset(): Ruleset {
    return this.#named(() => this.config.ruleset(...this.rules));
  }

  /**
   * Restricts the whole process, irrevocably.
   *
   * @returns What was really done
   * @throws {LandlockError} As `config.restrict()`
   */
  restrict(): Report {
    return this.#named(() => this.config.restrict(...this.rules));
  }

  /** Errors name the policy, and its keys where the library would name its methods. */
  #named<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof LandlockError)) throw error;
      const { syscall, errno, path, processChanged } = error;
      throw new LandlockError(error.code, `${this.#source}: ${messageFor(error, "key")}`, {
        ...(syscall === undefined ? {} : { syscall }),
        ...(errno === undefined ? {} : { errno }),
        ...(path === undefined ? {} : { path }),
        processChanged,
        cause: error,
      });
    }
  }
}

/** Settings of `parsePolicy()`. */
export interface PolicyOptions {
  /** The folder that relative paths belong to; default: the current directory. */
  readonly base?: string;
}

/**
 * Reads a policy out of data, as from JSON: in this library's format or that of the Landlock
 * project.
 *
 * @param value What the policy's file holds
 * @param options `base`: the folder that relative paths belong to
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` naming the key that is wrong
 * @see {@link https://github.com/landlock-lsm/landlockconfig}
 */
export function parsePolicy(value: unknown, options: PolicyOptions = {}): Policy {
  return atCaller(parsePolicy, () => {
    const { base = "." } = parse("policyOptions", options, "parsePolicy()");
    return new Policy(readValue(value, base, "parsePolicy()"));
  });
}

/**
 * Reads a policy out of a file: `.json`, `.jsonc`, `.toml` or `.yaml`, or the key `landlock` of a
 * `package.json`. Relative paths in it belong to the folder of the file.
 *
 * @param path Absolute or relative to the current directory, or a `file:` URL
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where the file cannot be read,
 *   `ERR_LANDLOCK_INVALID_RULE` where it cannot be parsed or naming the key that is wrong
 */
export function loadPolicy(path: PathLike): Policy {
  return atCaller(loadPolicy, () => {
    const checked = parse("path", path, "loadPolicy()");
    return new Policy(readFile(checked instanceof URL ? Bun.fileURLToPath(checked) : checked));
  });
}
