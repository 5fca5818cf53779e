/** The Configs that users start with. */
import { trusted } from "./frozen.ts";
import { Config } from "./config.ts";
import { atCaller } from "../errors/errors.ts";
import {
  abiOfRight,
  rightsOf,
  type Abi,
  type FsRight,
  type NetRight,
  type Rights,
  type Scope,
} from "../kernel/abi.ts";
import { parse } from "../validate/parse.ts";

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
