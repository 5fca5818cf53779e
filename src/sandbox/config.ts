/** What to restrict and how strictly, with the methods that do it. */
import {
  abiOfRight,
  rightsOf,
  type Abi,
  type FsRight,
  type NetRight,
  type Rights,
  type Scope,
} from "../kernel/abi.ts";
import { LandlockError } from "../errors/errors.ts";
import type { Kernel } from "../kernel/probe.ts";
import { asWritten } from "../kernel/walk.ts";
import type { PathRules, PortRules } from "../validate/argument-types.ts";
import { parse } from "../validate/parse.ts";
import type { Rule } from "../validate/rule-data.ts";
import { atCaller, isObject, PlainData, publicClass, trusted } from "../validate/values.ts";
import { makePlan, type ConfigData, type LogFlag, type Plan } from "./plan.ts";
import type { Report } from "./report.ts";
import { build, planHere, restrict } from "./restrict.ts";
import { Ruleset } from "./ruleset.ts";

/** Settings of `config.bestEffort()`. */
export interface BestEffortOptions {
  /** The lowest accepted ABI, 1 to 11; default: none. */
  readonly atLeast?: number | undefined;
  /**
   * Whether `spawn()` and `spawnSync()` may start commands even if nothing can be restricted; by
   * default they throw.
   */
  readonly allowNone?: boolean | undefined;
}

/**
 * What to restrict, immutable. Its methods restrict the whole process irrevocably: every current
 * thread, and all later threads and children. Each call adds one layer.
 *
 * All these methods throw `LandlockError`, and nothing has changed unless `processChanged` says so.
 * The codes are `ERR_LANDLOCK_INVALID_RULE`, `_PATH`, `_TOO_MANY_LAYERS`, `_THREADS_UNREACHABLE`,
 * `_THREADS_DIVERGED`, `_NATIVE` and `_SYSCALL`. Without best effort, a kernel that lacks something
 * causes `_ABI_TOO_OLD`, `_UNSUPPORTED`, `_DISABLED`, `_BLOCKED` or `_NOT_LINUX`.
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

  /** @internal The Config takes over the lists. */
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
   * Uses what this kernel supports. The rest is left out and reported as `unenforced`. If nothing
   * can be restricted, this process continues: the report says `"none"`, and one warning is
   * emitted. Commands aren't started in that case, unless `allowNone` is set.
   *
   * @param options `atLeast`: the lowest accepted ABI; `allowNone`: start commands even without any
   *   restriction
   * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if `atLeast` isn't an ABI, or both are
   *   given
   */
  bestEffort(options?: BestEffortOptions): Config {
    const { atLeast = 0, allowNone = false } =
      options === undefined ? {} : parse("bestEffort", options, "bestEffort()");
    return this.#but({ mode: "best-effort", atLeast, allowNone });
  }

  /**
   * Keeps denials of this program itself out of the audit log. Programs that it executes have their
   * own setting. Useful for programs that run unknown code. ABI 7.
   *
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#enforcing-a-ruleset}
   */
  disableLoggingForOriginatingProcess(): Config {
    return this.#log("log_same_exec_off");
  }

  /**
   * Also writes denials of programs executed inside the sandbox to the audit log. ABI 7.
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
   * @returns What was really enforced
   */
  restrictPaths<Given extends readonly Rule[]>(...rules: PathRules<Given>): Report {
    return this.#only("fs").restrict(...(rules as readonly Rule[]));
  }

  /**
   * Restricts TCP (ABI 4) and UDP (ABI 10). Without a rule every port is denied.
   *
   * @param rules What stays allowed
   * @returns What was really enforced
   */
  restrictNet<Given extends readonly Rule[]>(...rules: PortRules<Given>): Report {
    return this.#only("net").restrict(...(rules as readonly Rule[]));
  }

  /**
   * Restricts signals and abstract UNIX sockets to processes inside the sandbox (ABI 6). No rule
   * can grant more.
   *
   * @returns What was really enforced
   */
  restrictScoped(): Report {
    return this.#only("scoped").restrict();
  }

  /**
   * Restricts everything that this Config handles, in one layer.
   *
   * @param rules What stays allowed
   * @returns What was really enforced
   */
  restrict(...rules: Rule[]): Report {
    return restrict(made(this), rules);
  }

  /**
   * The plan that `restrict()` would follow on this kernel. Changes nothing and opens no path.
   *
   * @param rules What stays allowed
   */
  plan(...rules: Rule[]): Plan {
    return planHere(made(this), rules);
  }

  /**
   * Builds a ruleset without enforcing it, to restrict this process later or to spawn restricted
   * children.
   *
   * @param rules What stays allowed
   */
  ruleset(...rules: Rule[]): Ruleset {
    return new Ruleset(build(planHere(made(this), rules)), this.allowNone);
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

  /** @internal Whether this class made it; a prototype alone doesn't prove that. */
  static isMade(value: unknown): value is Config {
    return isObject(value) && #but in value;
  }
}

function made(config: Config): Config {
  if (Config.isMade(config)) return config;
  throw new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    "This is not a Config of this library: make one with landlock.V1 to V11, or landlock.config()",
  );
}

/**
 * Makes the plan for any kernel on any machine. It makes no system call.
 *
 * @param config What to restrict, or equal plain data, such as parsed JSON
 * @param rules What stays allowed
 * @param kernel What `probe()` returns, or any other `{ abi, errata, state }`
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if something is invalid, or if rules and
 *   Config contradict each other; `ERR_LANDLOCK_ABI_TOO_OLD`, `_UNSUPPORTED`, `_DISABLED`,
 *   `_BLOCKED` or `_NOT_LINUX` if the kernel lacks what a strict Config or `atLeast` needs
 */
export function planFor(config: ConfigData, rules: readonly Rule[], kernel: Kernel): Plan {
  return atCaller(planFor, () => {
    const checked = Config.isMade(config) ? config : parse("configData", config, "planFor()");
    const list = Array.isArray(rules) ? rules : parse("rules", rules, "planFor()");
    return makePlan(checked, list, parse("kernel", kernel, "planFor()"), asWritten);
  });
}

const versions: Config[] = [];

/** Created on first use; most scripts need one. */
function version(abi: Abi): Config {
  return (versions[abi] ??= custom(abi, rightsOf(abi)));
}

function custom(abi: number, rights: Rights): Config {
  return new Config({ abi, ...rights, logging: [], mode: "strict", atLeast: 0 }, trusted);
}

/** The rights of a custom Config. Omitted families stay unrestricted. */
export interface ConfigRights {
  readonly fs?: readonly FsRight[];
  readonly net?: readonly NetRight[];
  readonly scoped?: readonly Scope[];
}

/**
 * A Config that restricts exactly these rights.
 *
 * @param rights Names from `accessFs`, `accessNet` and `scopes`
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if a key or a right is unknown
 */
function config(rights: ConfigRights): Config {
  const given = atCaller(config, () => parse("config", rights, "landlock.config()"));
  const { fs = [], net = [], scoped = [] } = given;
  const abi = Math.max(1, ...[...fs, ...net, ...scoped].map(abiOfRight));
  return custom(abi, { fs, net, scoped });
}

/**
 * The Configs: `V1` to `V11` restrict all that this ABI can, and `config()` only some rights. All
 * are strict: if the kernel lacks something, it is an error unless you add `.bestEffort()`.
 */
export const landlock = Object.freeze({
  /**
   * Linux 5.13: `execute`, `write_file`, `read_file`, `read_dir`, `remove_dir`, `remove_file`,
   * `make_char`, `make_dir`, `make_reg`, `make_sock`, `make_fifo`, `make_block`, `make_sym`.
   * Renaming and linking between directories is always denied.
   */
  get V1() {
    return version(1);
  },
  /** Linux 5.19: V1 and `refer`, which can allow renaming and linking between directories. */
  get V2() {
    return version(2);
  },
  /** Linux 6.2: V2 and `truncate`. */
  get V3() {
    return version(3);
  },
  /** Linux 6.7: V3 and TCP: `bind_tcp`, `connect_tcp`. */
  get V4() {
    return version(4);
  },
  /** Linux 6.10: V4 and `ioctl_dev`, for ioctl(2) on devices. */
  get V5() {
    return version(5);
  },
  /**
   * Linux 6.12: V5 and scopes: `signal` and `abstract_unix_socket` restrict access to processes
   * outside the sandbox.
   */
  get V6() {
    return version(6);
  },
  /** Linux 6.15: V6 and settings of the audit log, such as `enableLoggingForSubprocesses()`. */
  get V7() {
    return version(7);
  },
  /** Linux 7.0: V7, with all threads restricted by the kernel at once instead of one by one. */
  get V8() {
    return version(8);
  },
  /** Linux 7.1: V8 and `resolve_unix`, for connecting to UNIX sockets by path. */
  get V9() {
    return version(9);
  },
  /** Linux 7.2: V9, UDP (`bind_udp`, `connect_send_udp`) and `quiet()`. */
  get V10() {
    return version(10);
  },
  /** Linux 7.3: V10, with no_new_privs set by the kernel only if the restriction succeeds. */
  get V11() {
    return version(11);
  },
  config,
});
