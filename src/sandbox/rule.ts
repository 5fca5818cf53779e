/**
 * What a rule is: frozen plain data, whose methods return a new rule. A rule grants and never
 * denies.
 */
import { atCaller } from "../errors/errors.ts";
import { accessFs, type FsRight, type NetRight } from "../kernel/abi.ts";
import { parse } from "../validate/parse.ts";
import { publicClass, PlainData, trusted } from "./frozen.ts";

/** What happens where a path does not exist. */
export type OnMissing = "fail" | "skip" | "create";

/** What an `FsRule` consists of. */
export interface FsRuleData {
  readonly kind: "fs";
  /** Rights granted beneath each path. */
  readonly access: readonly FsRight[];
  /** Those of them that were asked for by name: the Config has to handle them. */
  readonly explicit: readonly FsRight[];
  readonly paths: readonly string[];
  /** Where a path is no directory: grant only what applies to files, or fail. */
  readonly onFile: "narrow" | "fail";
  /** Where a path does not exist: fail, skip it and report it, or make a directory there. */
  readonly onMissing: OnMissing;
  /** Whether a denial beneath the paths goes to the audit log. */
  readonly onDenial: "log" | "quiet";
  /** Of presets: absolute paths of the files whose content chose what is granted. */
  readonly chosenBy?: readonly string[];
  /**
   * Of presets: for each path, the identity of the file that was looked at, or "". Another file that
   * is there when the ruleset is built is an error.
   */
  readonly identities?: readonly string[];
}

/** Grants filesystem rights beneath paths. Made by `roDirs()` and the like. */
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

  /** @internal Rights come in the order of the kernel's bits, and lists become the rule's own. */
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
   * Also grants `refer`: renaming and linking between different directories, ABI 2. Below it
   * that is always denied, and the report says so under `ungranted`.
   *
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#filesystem-flags}
   */
  withRefer(): FsRule {
    return this.#with("refer");
  }

  /**
   * Also grants `ioctl_dev`: ioctl(2) on devices opened from now on, ABI 5.
   *
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#filesystem-flags}
   */
  withIoctlDev(): FsRule {
    return this.#with("ioctl_dev");
  }

  /**
   * Also grants `resolve_unix`: connecting and sending to UNIX sockets by path where the server
   * is outside the sandbox, ABI 9.
   *
   * @see {@link https://docs.kernel.org/userspace-api/landlock.html#filesystem-flags}
   */
  withResolveUnix(): FsRule {
    return this.#with("resolve_unix");
  }

  /** Skips paths that do not exist and reports them under `skippedPaths`. */
  ignoreIfMissing(): FsRule {
    return this.#but({ onMissing: "skip" });
  }

  /**
   * Makes a directory, and those above it, where a path does not exist: with mode 0777 less the
   * umask, when the ruleset is built. They are reported under `createdPaths`. Nothing is made if
   * another path of the rules cannot be used.
   *
   * @returns A rule whose ruleset is `ERR_LANDLOCK_PATH` where a directory cannot be made
   */
  createIfMissing(): FsRule {
    return this.#but({ onMissing: "create" });
  }

  /**
   * Keeps denials beneath these paths out of the audit log, ABI 10. What is denied stays denied.
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

  /** @internal Whether it was made by this class, which a prototype alone does not prove. */
  static isMade(value: unknown): value is FsRule {
    return isObject(value) && #but in value;
  }
}

/** What a `NetRule` consists of. */
export interface NetRuleData {
  readonly kind: "net";
  /** Rights granted on each port. */
  readonly access: readonly NetRight[];
  /** 0 to 65535; 0 is a port the kernel picks. */
  readonly ports: readonly number[];
  /** Whether a denial on the ports goes to the audit log. */
  readonly onDenial: "log" | "quiet";
}

/** Grants network rights on ports. Made by `bindTcp()` and the like. */
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

  /** Keeps denials on these ports out of the audit log, ABI 10. */
  quiet(): NetRule {
    return this.#but({ onDenial: "quiet" });
  }

  #but(changes: Partial<NetRuleData>): NetRule {
    return new NetRule({ ...this, ...changes }, trusted);
  }

  /** @internal Whether it was made by this class, which a prototype alone does not prove. */
  static isMade(value: unknown): value is NetRule {
    return isObject(value) && #but in value;
  }
}

/** What a `CompositeRule` consists of. */
export interface CompositeRuleData {
  readonly kind: "composite";
  readonly rules: readonly Rule[];
}

/** Several rules as one. Made by `composite()`. */
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

  /** @internal Whether it was made by this class, which a prototype alone does not prove. */
  static isMade(value: unknown): value is CompositeRule {
    return isObject(value) && #made in value;
  }
}

/** What the verbs of a Config take; an equal plain object, as from JSON, will do. */
export type Rule = FsRuleData | NetRuleData | CompositeRuleData;

/** Each name once, in the order of the kernel's bits. */
export function inOrder(rights: readonly FsRight[]): readonly FsRight[] {
  return accessFs.filter((right) => rights.includes(right));
}

/** The rule itself, or one made from equal plain data. */
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

/** What a constructor was given by a caller, checked. */
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

/** The rules without their nesting, in their order. */
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
