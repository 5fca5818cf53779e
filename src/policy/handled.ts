/** Presets list all a program needs; keep only the rights that the Config handles. */
import { trusted } from "../validate/values.ts";
import { Config } from "../sandbox/config.ts";
import type { Rights } from "../kernel/abi.ts";
import { toRule, CompositeRule, FsRule, NetRule, type Rule } from "../sandbox/rules.ts";

/** The same Config with other rights. */
export function withRights(config: Config, rights: Rights): Config {
  const { fs, net, scoped } = rights;
  return new Config({ ...config, fs, net, scoped }, trusted);
}

/** The part of a rule that the Config handles, as rules without nesting. */
export function handledPart(rule: Rule, config: Config): (FsRule | NetRule)[] {
  const one = toRule(rule, "preset");
  if (one instanceof CompositeRule) return one.rules.flatMap((part) => handledPart(part, config));
  if (one instanceof NetRule) {
    const access = one.access.filter((right) => config.net.includes(right));
    return access.length === 0 ? [] : [new NetRule({ ...one, access }, trusted)];
  }
  const handled = (right: (typeof one.access)[number]) => config.fs.includes(right);
  const access = one.access.filter(handled);
  const explicit = one.explicit.filter(handled);
  return access.length === 0 ? [] : [new FsRule({ ...one, access, explicit }, trusted)];
}
