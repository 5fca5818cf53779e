/**
 * Rules as frozen plain data, with methods that return a new rule. A rule only grants, and never
 * denies.
 */
import type { Subject } from "../errors/hints.ts";
import { accessFs, rightsOf, type FsRight, type NetRight } from "../kernel/abi.ts";
import type { Paths, Ports } from "../validate/argument-types.ts";
import { parse } from "../validate/parse.ts";
import type {
  CompositeRuleData,
  FsRuleData,
  NetRuleData,
  OnMissing,
  Rule,
} from "../validate/rule-data.ts";
import {
  atCaller,
  isFileUrl,
  isObject,
  isPathString,
  isPort,
  listOf,
  PlainData,
  publicClass,
  trusted,
} from "../validate/values.ts";
import { portRules, type PathRuleName, type PortRuleName } from "../vocabulary.ts";

export type { Rule };

/** Grants filesystem rights beneath paths. Made by functions such as `roDirs()`. */
export class FsRule extends PlainData implements FsRuleData {
  static {
    publicClass(this, "FsRule");
  }

  readonly kind = "fs";
  readonly access: readonly FsRight[];
  readonly explicit: readonly FsRight[];
  readonly paths: readonly string[];
  readonly onFile: "narrow" | "fail";
  readonly onMissing: OnMissing;
  readonly onDenial: "log" | "quiet";
  declare readonly chosenBy?: readonly string[];
  declare readonly identities?: readonly string[];

  /** @internal Rights must be in the order of the kernel's bits. The rule takes over the lists. */
  constructor(given: Omit<FsRuleData, "kind">, from?: typeof trusted) {
    super();
    const data =
      from === trusted ? given : atCaller(FsRule, () => checked({ ...given, kind: "fs" }));
    this.access = Object.freeze(data.access);
    this.explicit = Object.freeze(data.explicit);
    this.paths = Object.freeze(data.paths);
    this.onFile = data.onFile;
    this.onMissing = data.onMissing;
    this.onDenial = data.onDenial;
    if (data.chosenBy) this.chosenBy = Object.freeze(data.chosenBy);
    if (data.identities) this.identities = Object.freeze(data.identities);
    Object.freeze(this);
  }

  /**
   * Also grants `refer`: renaming and linking between different directories, from ABI 2 on. Below
   * ABI 2 that is always denied, and the report lists it under `ungranted`.
   *
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#filesystem-flags}
   */
  withRefer(): FsRule {
    return this.#with("refer");
  }

  /**
   * Also grants `ioctl_dev`: ioctl(2) on devices that are opened later, from ABI 5 on.
   *
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#filesystem-flags}
   */
  withIoctlDev(): FsRule {
    return this.#with("ioctl_dev");
  }

  /**
   * Also grants `resolve_unix`: connecting and sending to UNIX sockets by path if their server is
   * outside the sandbox, from ABI 9 on.
   *
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#filesystem-flags}
   */
  withResolveUnix(): FsRule {
    return this.#with("resolve_unix");
  }

  /** Skips paths that don't exist and reports them under `skippedPaths`. */
  ignoreIfMissing(): FsRule {
    return this.#but({ onMissing: "skip" });
  }

  /**
   * Makes a directory and its parents if a path doesn't exist, when the ruleset is built. They get
   * mode 0777 less the umask, and are reported under `createdPaths`. Nothing is made if another
   * path of the rules can't be used.
   *
   * @returns A rule; building its ruleset fails with `ERR_LANDLOCK_PATH` if a directory can't be
   *   made
   */
  createIfMissing(): FsRule {
    return this.#but({ onMissing: "create" });
  }

  /**
   * Keeps denials beneath these paths out of the audit log, from ABI 10 on. They stay denied.
   *
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#quiet-rule-flag-abi-10}
   */
  quiet(): FsRule {
    return this.#but({ onDenial: "quiet" });
  }

  #with(right: FsRight): FsRule {
    return this.#but({
      access: inOrder([...this.access, right]),
      explicit: inOrder([...this.explicit, right]),
    });
  }

  #but(changes: Partial<FsRuleData>): FsRule {
    return new FsRule({ ...this, ...changes }, trusted);
  }

  /** @internal Whether this class made it; a prototype alone doesn't prove that. */
  static isMade(value: unknown): value is FsRule {
    return isObject(value) && #but in value;
  }
}

/** Grants network rights on ports. Made by functions such as `bindTcp()`. */
export class NetRule extends PlainData implements NetRuleData {
  static {
    publicClass(this, "NetRule");
  }

  readonly kind = "net";
  readonly access: readonly NetRight[];
  readonly ports: readonly number[];
  readonly onDenial: "log" | "quiet";

  /** @internal */
  constructor(given: Omit<NetRuleData, "kind">, from?: typeof trusted) {
    super();
    const data =
      from === trusted ? given : atCaller(NetRule, () => checked({ ...given, kind: "net" }));
    this.access = Object.freeze(data.access);
    this.ports = Object.freeze(data.ports);
    this.onDenial = data.onDenial;
    Object.freeze(this);
  }

  /** Keeps denials on these ports out of the audit log, from ABI 10 on. */
  quiet(): NetRule {
    return this.#but({ onDenial: "quiet" });
  }

  #but(changes: Partial<NetRuleData>): NetRule {
    return new NetRule({ ...this, ...changes }, trusted);
  }

  /** @internal Whether this class made it; a prototype alone doesn't prove that. */
  static isMade(value: unknown): value is NetRule {
    return isObject(value) && #but in value;
  }
}

/** Several rules combined. Made by `composite()`. */
export class CompositeRule extends PlainData implements CompositeRuleData {
  static {
    publicClass(this, "CompositeRule");
  }

  readonly kind = "composite";
  readonly #made = true;
  readonly rules: readonly (FsRule | NetRule | CompositeRule)[];

  /** @internal */
  constructor(rules: readonly (FsRule | NetRule | CompositeRule)[], from?: typeof trusted) {
    super();
    const list = () => rules.map((rule) => toRule(rule, "CompositeRule"));
    this.rules = Object.freeze(from === trusted ? rules : atCaller(CompositeRule, list));
    Object.freeze(this);
  }

  /** @internal Whether this class made it; a prototype alone doesn't prove that. */
  static isMade(value: unknown): value is CompositeRule {
    return isObject(value) && #made in value;
  }
}

/** Removes duplicates and sorts by the kernel's bits. */
export function inOrder(rights: readonly FsRight[]): readonly FsRight[] {
  return accessFs.filter((right) => rights.includes(right));
}

/** The rule itself, or a rule made from equal plain data. */
export function toRule(rule: Rule, call: string): FsRule | NetRule | CompositeRule {
  const isMade = FsRule.isMade(rule) || NetRule.isMade(rule) || CompositeRule.isMade(rule);
  return isMade ? rule : fromData(parse("rule", rule, call));
}

function fromData(data: Rule): FsRule | NetRule | CompositeRule {
  if (data.kind === "net") return new NetRule(data, trusted);
  if (data.kind === "composite") return new CompositeRule(data.rules.map(fromData), trusted);
  const { access, explicit } = data;
  return new FsRule({ ...data, access: inOrder(access), explicit: inOrder(explicit) }, trusted);
}

/** Checks the data that a caller passed to a constructor. */
function checked<Data extends FsRuleData | NetRuleData>(given: Data): Data {
  return toRule(given, "new rule") as Rule as Data;
}

// Sorted by the kernel's bits, as in all rules.
const readFiles: readonly FsRight[] = ["execute", "read_file"];
const readDirs: readonly FsRight[] = ["execute", "read_file", "read_dir"];
const writeFiles: readonly FsRight[] = ["execute", "write_file", "read_file", "truncate"];
/** Newer rights and `refer` must be granted by name. */
const writeDirs = rightsOf(3).fs.filter((right) => right !== "refer");

/** Converts paths to strings, and reports invalid ones. */
function pathsOf(subject: Subject, paths: readonly unknown[]): string[] {
  const strings: string[] = [];
  for (const path of paths) {
    if (isPathString(path)) strings.push(path);
    else if (isFileUrl(path)) strings.push(Bun.fileURLToPath(path));
    else parse("paths", paths, subject);
  }
  return strings;
}

function fsRule(
  subject: Subject,
  access: readonly FsRight[],
  paths: readonly unknown[],
  exact = false,
): FsRule {
  return new FsRule(
    {
      access,
      explicit: exact ? access : [],
      paths: pathsOf(subject, paths),
      onFile: exact ? "fail" : "narrow",
      onMissing: "fail",
      onDenial: "log",
    },
    trusted,
  );
}

function netRule(name: PortRuleName, ports: readonly unknown[]): NetRule {
  return new NetRule(
    {
      access: [portRules[name].right],
      ports: ports.every(isPort) ? ports : parse("ports", ports, { rule: name }),
      onDenial: "log",
    },
    trusted,
  );
}

/**
 * Grants reading and executing everything beneath directories: `execute`, `read_file`, `read_dir`.
 * On a file, it grants the first two. ABI 1.
 *
 * @param paths Existing paths, absolute or relative to the current directory, or `file:` URLs
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if a path is invalid
 */
export function roDirs<Given extends readonly unknown[]>(...paths: Paths<Given>): FsRule {
  return atCaller(roDirs, () => fsRule({ rule: "roDirs" }, readDirs, paths));
}

/**
 * Grants reading, executing, writing, creating and removing everything beneath directories: all
 * rights except `refer`, `ioctl_dev` and `resolve_unix`. On a file, it grants the file rights. ABI
 * 1.
 *
 * @param paths Existing paths, absolute or relative to the current directory, or `file:` URLs
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if a path is invalid
 */
export function rwDirs<Given extends readonly unknown[]>(...paths: Paths<Given>): FsRule {
  return atCaller(rwDirs, () => fsRule({ rule: "rwDirs" }, writeDirs, paths));
}

/**
 * Grants reading and executing files: `execute`, `read_file`. On a directory, it grants this for
 * all files beneath, but doesn't allow listing it. ABI 1.
 *
 * @param paths Existing paths, absolute or relative to the current directory, or `file:` URLs
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if a path is invalid
 */
export function roFiles<Given extends readonly unknown[]>(...paths: Paths<Given>): FsRule {
  return atCaller(roFiles, () => fsRule({ rule: "roFiles" }, readFiles, paths));
}

/**
 * Grants reading, executing and writing files: `execute`, `read_file`, `write_file`, `truncate`. On
 * a directory, it grants this for all files beneath, but doesn't allow creating files. ABI 1.
 *
 * @param paths Existing paths, absolute or relative to the current directory, or `file:` URLs
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if a path is invalid
 */
export function rwFiles<Given extends readonly unknown[]>(...paths: Paths<Given>): FsRule {
  return atCaller(rwFiles, () => fsRule({ rule: "rwFiles" }, writeFiles, paths));
}

/**
 * Grants exactly these rights. The Config must handle each of them. A directory right on anything
 * else is an error. ABI 1, or that of the newest right.
 *
 * @param rights Names from `accessFs`; grant `write_file` and `truncate` together
 * @param paths Existing paths, absolute or relative to the current directory, or `file:` URLs
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if a right or a path is invalid
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#filesystem-flags}
 */
export function pathAccess<Given extends readonly unknown[]>(
  rights: readonly FsRight[],
  ...paths: Paths<Given>
): FsRule {
  return atCaller(pathAccess, () => {
    const valid = listOf(rights, accessFs) ?? parse("fsRights", rights, "pathAccess()");
    return fsRule("pathAccess()", inOrder(valid), paths, true);
  });
}

/**
 * Grants binding TCP sockets to local ports, ABI 4.
 *
 * @param ports 0 to 65535; 0 is what `Bun.serve({ port: 0 })` needs
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if a port is invalid
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#network-flags}
 */
export function bindTcp<Given extends readonly number[]>(...ports: Ports<Given>): NetRule {
  return atCaller(bindTcp, () => netRule("bindTcp", ports));
}

/**
 * Grants connecting TCP sockets to remote ports, ABI 4.
 *
 * @param ports 0 to 65535
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if a port is invalid
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#network-flags}
 */
export function connectTcp<Given extends readonly number[]>(...ports: Ports<Given>): NetRule {
  return atCaller(connectTcp, () => netRule("connectTcp", ports));
}

/**
 * Grants binding UDP sockets to local ports, ABI 10.
 *
 * @param ports 0 to 65535; a client that binds nothing itself needs 0
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if a port is invalid
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#network-flags}
 */
export function bindUdp<Given extends readonly number[]>(...ports: Ports<Given>): NetRule {
  return atCaller(bindUdp, () => netRule("bindUdp", ports));
}

/**
 * Grants connecting UDP sockets and sending datagrams to remote ports, ABI 10.
 *
 * @param ports 0 to 65535
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if a port is invalid
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#network-flags}
 */
export function connectSendUdp<Given extends readonly number[]>(...ports: Ports<Given>): NetRule {
  return atCaller(connectSendUdp, () => netRule("connectSendUdp", ports));
}

/**
 * Combines rules into one. Composite rules can be nested. Without rules it grants nothing.
 *
 * @param rules Rules of any kind, or equal plain data
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if a rule is invalid
 */
export function composite(...rules: Rule[]): CompositeRule {
  const list = () => rules.map((rule) => toRule(rule, "composite()"));
  return new CompositeRule(atCaller(composite, list), trusted);
}

/** Makes a rule on paths, by the name of its constructor. */
export function pathRule(name: PathRuleName, ...paths: string[]): FsRule {
  return { roDirs, rwDirs, roFiles, rwFiles }[name](...paths);
}

/** Makes a rule on ports, by the name of its constructor. */
export function portRule(name: PortRuleName, ...ports: number[]): NetRule {
  return { bindTcp, connectTcp, bindUdp, connectSendUdp }[name](...ports);
}
