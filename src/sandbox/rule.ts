/**
 * Rules as frozen plain data, with methods that return a new rule. A rule only grants, and never
 * denies.
 */
import { atCaller } from "../errors/errors.ts";
import { accessFs, type FsRight, type NetRight } from "../kernel/abi.ts";
import { parse } from "../validate/parse.ts";
import { publicClass, PlainData, trusted } from "./frozen.ts";

/** What to do if a path doesn't exist. */
export type OnMissing = "fail" | "skip" | "create";

/** The data of an `FsRule`. */
export interface FsRuleData {
  readonly kind: "fs";
  /** Rights granted beneath each path. */
  readonly access: readonly FsRight[];
  /** The rights that were requested by name, which the Config must handle. */
  readonly explicit: readonly FsRight[];
  readonly paths: readonly string[];
  /** If a path isn't a directory: grant only the file rights, or fail. */
  readonly onFile: "narrow" | "fail";
  /** If a path doesn't exist: fail, skip and report it, or make a directory there. */
  readonly onMissing: OnMissing;
  /** Whether denials beneath the paths are written to the audit log. */
  readonly onDenial: "log" | "quiet";
  /** For presets: absolute paths of the files whose content decided what is granted. */
  readonly chosenBy?: readonly string[];
  /**
   * For presets: for each path, the identity of the inspected file, or `""`. If another file is
   * there when the ruleset is built, it is an error.
   */
  readonly identities?: readonly string[];
}

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
    const data = from === trusted ? given : atCaller(FsRule, () => checkedData("fs", given));
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

/** The data of a `NetRule`. */
export interface NetRuleData {
  readonly kind: "net";
  /** Rights granted on each port. */
  readonly access: readonly NetRight[];
  /** 0 to 65535. With 0 the kernel picks a port. */
  readonly ports: readonly number[];
  /** Whether denials on the ports are written to the audit log. */
  readonly onDenial: "log" | "quiet";
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
    const data = from === trusted ? given : atCaller(NetRule, () => checkedData("net", given));
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

/** The data of a `CompositeRule`. */
export interface CompositeRuleData {
  readonly kind: "composite";
  readonly rules: readonly Rule[];
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
    const list = () => rules.map((rule) => checked(rule, "CompositeRule"));
    this.rules = Object.freeze(from === trusted ? rules : atCaller(CompositeRule, list));
    Object.freeze(this);
  }

  /** @internal Whether this class made it; a prototype alone doesn't prove that. */
  static isMade(value: unknown): value is CompositeRule {
    return isObject(value) && #made in value;
  }
}

/** What the methods of a Config accept: a rule, or equal plain data, such as parsed JSON. */
export type Rule = FsRuleData | NetRuleData | CompositeRuleData;

/** Removes duplicates and sorts by the kernel's bits. */
export function inOrder(rights: readonly FsRight[]): readonly FsRight[] {
  return accessFs.filter((right) => rights.includes(right));
}

/** The rule itself, or a rule made from equal plain data. */
export function checked(rule: Rule, call: string): FsRule | NetRule | CompositeRule {
  const isMade = FsRule.isMade(rule) || NetRule.isMade(rule) || CompositeRule.isMade(rule);
  return isMade ? rule : fromData(parse("rule", rule, call));
}

function fromData(data: Rule): FsRule | NetRule | CompositeRule {
  if (data.kind === "fs") return new FsRule(ordered(data), trusted);
  return data.kind === "net"
    ? new NetRule(data, trusted)
    : new CompositeRule(data.rules.map(fromData), trusted);
}

function ordered(data: FsRuleData): FsRuleData {
  return { ...data, access: inOrder(data.access), explicit: inOrder(data.explicit) };
}

/** Checks the data that a caller passed to a constructor. */
function checkedData<Kind extends "fs" | "net">(
  kind: Kind,
  given: object,
): Extract<Rule, { kind: Kind }> {
  const data = parse("rule", { ...given, kind } as Rule, "new rule");
  return (data.kind === "fs" ? ordered(data) : data) as Extract<Rule, { kind: Kind }>;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The rules in order, without nesting. */
export function flatten(
  rules: readonly Rule[],
  call: string,
  flat: (FsRule | NetRule)[] = [],
): (FsRule | NetRule)[] {
  for (const rule of rules) {
    const one = checked(rule, call);
    if (one instanceof CompositeRule) flatten(one.rules, call, flat);
    else flat.push(one);
  }
  return flat;
}
