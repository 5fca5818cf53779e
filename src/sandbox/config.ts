/** What to restrict and how strictly, and the verbs that do it. */
import type { PathRules, PortRules } from "./argument-types.ts";
import { atCaller, LandlockError } from "../errors/errors.ts";
import type { ConfigData, LogFlag } from "./fit.ts";
import type { FsRight, NetRight, Rights, Scope } from "../kernel/abi.ts";
import { probe, type Kernel } from "../kernel/probe.ts";
import { parse } from "../validate/parse.ts";
import { publicClass, PlainData, trusted } from "./frozen.ts";
import { makePlan, type Plan } from "./plan.ts";
import type { Report } from "./report.ts";
import { asWritten, placesOf } from "./rewritable.ts";
import type { Rule } from "./rule.ts";
import { Ruleset } from "./ruleset.ts";

/** Settings of `config.bestEffort()`. */
export interface BestEffortOptions {
  /** The ABI below which it is an error, 1 to 11; default: none. */
  readonly atLeast?: number | undefined;
  /**
   * Whether `spawn()` and `spawnSync()` may start commands even where nothing at all can be
   * restricted; default false: they throw.
   */
  readonly allowNone?: boolean | undefined;
}

/**
 * What to restrict, immutable. Each verb restricts the whole process, irrevocably: every thread
 * that runs now, and every thread and child to come. One call makes one layer; layers add up.
 *
 * All verbs throw `LandlockError`, with nothing changed unless `processChanged` says so:
 * `ERR_LANDLOCK_INVALID_RULE`, `_PATH`, `_TOO_MANY_LAYERS`, `_THREADS_UNREACHABLE`,
 * `_THREADS_DIVERGED`, `_NATIVE`, `_SYSCALL`; and, unless best effort, `_ABI_TOO_OLD`,
 * `_UNSUPPORTED`, `_DISABLED`, `_BLOCKED` or `_NOT_LINUX` where the kernel lacks something.
 *
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html}
 */
export class Config extends PlainData implements ConfigData {
  static {
    publicClass(this, "Config");
  }

  readonly abi: number;
  readonly fs: readonly FsRight[];
  readonly net: readonly NetRight[];
  readonly scoped: readonly Scope[];
  readonly logging: readonly LogFlag[];
  readonly mode: "strict" | "best-effort";
  readonly atLeast: number;
  readonly allowNone: boolean;

  /** @internal The lists become the Config's own. */
  constructor(given: ConfigData, from?: typeof trusted) {
    super();
    const data =
      from === trusted ? given : atCaller(Config, () => parse("configData", given, "new Config()"));
    this.abi = data.abi;
    this.fs = Object.freeze(data.fs);
    this.net = Object.freeze(data.net);
    this.scoped = Object.freeze(data.scoped);
    this.logging = Object.freeze(data.logging);
    this.mode = data.mode;
    this.atLeast = data.atLeast;
    this.allowNone = data.allowNone ?? false;
    Object.freeze(this);
  }

  /**
   * Uses what this kernel has. What it lacks is left out and reported as `unenforced`. If nothing
   * at all can be restricted, this process goes on: the report says `"none"`, and a warning is
   * emitted once. A command is not started then, unless `allowNone` says so.
   *
   * @param options `atLeast`: the ABI below which it is an error after all; `allowNone`: start
   *   commands without any restriction rather than not at all
   * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if `atLeast` is not an ABI, or both are given
   */
  bestEffort(options?: BestEffortOptions): Config {
    const { atLeast = 0, allowNone = false } =
      options === undefined ? {} : parse("bestEffort", options, "bestEffort()");
    return this.#but({ mode: "best-effort", atLeast, allowNone });
  }

  /**
   * Keeps denials of this program itself out of the audit log; those of programs it executes
   * follow their own setting. For programs that run code they do not know. ABI 7.
   *
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#enforcing-a-ruleset}
   */
  disableLoggingForOriginatingProcess(): Config {
    return this.#log("log_same_exec_off");
  }

  /**
   * Writes denials of programs executed inside the sandbox to the audit log too. ABI 7.
   *
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#enforcing-a-ruleset}
   */
  enableLoggingForSubprocesses(): Config {
    return this.#log("log_new_exec_on");
  }

  /**
   * Keeps denials by sandboxes nested in this one out of the audit log. ABI 7.
   *
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#enforcing-a-ruleset}
   */
  disableLoggingForSubdomains(): Config {
    return this.#log("log_subdomains_off");
  }

  /**
   * Restricts access to paths. Without a rule every path is denied.
   *
   * @param rules What stays allowed
   * @returns What was really done
   */
  restrictPaths<Given extends readonly Rule[]>(...rules: PathRules<Given>): Report {
    return this.#only("fs").restrict(...(rules as readonly Rule[]));
  }

  /**
   * Restricts TCP, ABI 4, and UDP, ABI 10. Without a rule every port is denied.
   *
   * @param rules What stays allowed
   * @returns What was really done
   */
  restrictNet<Given extends readonly Rule[]>(...rules: PortRules<Given>): Report {
    return this.#only("net").restrict(...(rules as readonly Rule[]));
  }

  /**
   * Restricts signals and abstract UNIX sockets to processes inside the sandbox, ABI 6. There is
   * no rule that could grant more.
   *
   * @returns What was really done
   */
  restrictScoped(): Report {
    return this.#only("scoped").restrict();
  }

  /**
   * Restricts all that this Config handles, in one layer.
   *
   * @param rules What stays allowed
   * @returns What was really done
   */
  restrict(...rules: Rule[]): Report {
    // Not `using`, which other runtimes cannot parse: they are to say that they are others.
    const ruleset = this.ruleset(...rules);
    try {
      return ruleset.restrictSelf();
    } finally {
      ruleset[Symbol.dispose]();
    }
  }

  /**
   * What `restrict()` would ask this kernel. Changes nothing, opens no path.
   *
   * @param rules What stays allowed
   */
  plan(...rules: Rule[]): Plan {
    if (!Config.isMade(this)) throw notMade();
    return makePlan(this, rules, probe(), placesOf);
  }

  /**
   * Builds a ruleset without enforcing it: to restrict later, or to spawn restricted children
   * from a process that stays as it is.
   *
   * @param rules What stays allowed
   */
  ruleset(...rules: Rule[]): Ruleset {
    return new Ruleset(this.plan(...rules), this.allowNone);
  }

  #only(family: keyof Rights): Config {
    return this.#but({ fs: [], net: [], scoped: [], [family]: this[family] });
  }

  #log(flag: LogFlag): Config {
    return this.#but({ logging: [...new Set([...this.logging, flag])] });
  }

  #but(changes: Partial<ConfigData>): Config {
    return new Config({ ...this, ...changes }, trusted);
  }

  /** @internal Whether it was made by this class, which a prototype alone does not prove. */
  static isMade(value: unknown): value is Config {
    return typeof value === "object" && value !== null && #but in value;
  }
}

function notMade(): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    "This is not a Config of this library: make one with landlock.V1 to V11, or landlock.config()",
  );
}

/**
 * Makes the plan for any kernel, on any machine: it asks nothing and opens nothing.
 *
 * @param config What to restrict; an equal plain object, as from JSON, will do
 * @param rules What stays allowed
 * @param kernel What `probe()` returns, or any other `{ abi, errata, state }`
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where something is not valid, or rules and
 *   Config do not fit; `ERR_LANDLOCK_ABI_TOO_OLD`, `_UNSUPPORTED`, `_DISABLED`, `_BLOCKED` or
 *   `_NOT_LINUX` where the kernel lacks what a strict Config, or `atLeast`, asks for
 */
export function planFor(config: ConfigData, rules: readonly Rule[], kernel: Kernel): Plan {
  return atCaller(planFor, () => {
    const checked = Config.isMade(config) ? config : parse("configData", config, "planFor()");
    const list = Array.isArray(rules) ? rules : parse("rules", rules, "planFor()");
    return makePlan(checked, list, parse("kernel", kernel, "planFor()"), asWritten);
  });
}
