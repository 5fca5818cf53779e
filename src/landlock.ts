/** The Configs that users start from. */
import { Config } from "./config.ts";
import {
  abiOfRight,
  rightsOf,
  type Abi,
  type FsRight,
  type NetRight,
  type Rights,
  type Scope,
} from "./kernel/abi.ts";
import { parse } from "./parse.ts";

const versions: Config[] = [];

/** Made when asked for: a script uses one of them, and pays for one. */
function version(abi: Abi): Config {
  return (versions[abi] ??= custom(abi, rightsOf(abi)));
}

function custom(abi: number, rights: Rights): Config {
  return new Config({ abi, ...rights, logging: [], mode: "strict", atLeast: 0 });
}

/** The rights of a custom Config; what is left out stays unrestricted. */
export interface ConfigRights {
  readonly fs?: readonly FsRight[];
  readonly net?: readonly NetRight[];
  readonly scoped?: readonly Scope[];
}

/**
 * A Config that restricts just these rights.
 *
 * @param rights Names out of `accessFs`, `accessNet` and `scopes`
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where a key or a right is unknown
 */
function config(rights: ConfigRights): Config {
  const { fs = [], net = [], scoped = [] } = parse("config", rights, "landlock.config()");
  const abi = Math.max(1, ...[...fs, ...net, ...scoped].map(abiOfRight));
  return custom(abi, { fs, net, scoped });
}

/**
 * The Configs: `V1` to `V11` restrict all that this ABI can, `config()` just some rights. All
 * are strict: a kernel that lacks something is an error, unless `.bestEffort()`.
 */
export const landlock = Object.freeze({
  get V1() {
    return version(1);
  },
  get V2() {
    return version(2);
  },
  get V3() {
    return version(3);
  },
  get V4() {
    return version(4);
  },
  get V5() {
    return version(5);
  },
  get V6() {
    return version(6);
  },
  get V7() {
    return version(7);
  },
  get V8() {
    return version(8);
  },
  get V9() {
    return version(9);
  },
  get V10() {
    return version(10);
  },
  get V11() {
    return version(11);
  },
  config,
});
