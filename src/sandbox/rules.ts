/** The constructors of rules: what stays allowed. */
import { trusted } from "./frozen.ts";
import { atCaller } from "../errors/errors.ts";
import { accessFs, rightsOf, type FsRight } from "../kernel/abi.ts";
import type { Paths, Ports } from "./argument-types.ts";
import { parse } from "../validate/parse.ts";
import { checked, CompositeRule, FsRule, inOrder, NetRule, type Rule } from "./rule.ts";
import { isFileUrl, listOf, isPathString, isPort } from "../validate/values.ts";
import { portRules, type PathRuleName, type PortRuleName } from "../vocabulary.ts";

// In the order of the kernel's bits, as all rights in rules are.
const readFiles: readonly FsRight[] = ["execute", "read_file"];
const readDirs: readonly FsRight[] = ["execute", "read_file", "read_dir"];
const writeFiles: readonly FsRight[] = ["execute", "write_file", "read_file", "truncate"];
/** Newer rights, and `refer`, are granted by name only. */
const writeDirs = rightsOf(3).fs.filter((right) => right !== "refer");
const none: readonly FsRight[] = [];

/** The paths as strings, or what the schema says about them. */
function pathsOf(call: string, paths: readonly unknown[]): string[] {
  const strings: string[] = [];
  for (const path of paths) {
    if (isPathString(path)) strings.push(path);
    else if (isFileUrl(path)) strings.push(Bun.fileURLToPath(path));
    else parse("paths", paths, call);
  }
  return strings;
}

function fsRule(
  call: string,
  access: readonly FsRight[],
  paths: readonly unknown[],
  exact = false,
): FsRule {
  return new FsRule(
    {
      access,
      explicit: exact ? access : none,
      paths: pathsOf(call, paths),
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
      ports: ports.every(isPort) ? ports : parse("ports", ports, `${name}()`),
      onDenial: "log",
    },
    trusted,
  );
}

/**
 * Grants reading and executing everything beneath directories: `execute`, `read_file`,
 * `read_dir`. On a file: the first two. ABI 1.
 *
 * @param paths Existing paths, absolute or relative to the current directory, or `file:` URLs
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where one is no path
 */
export function roDirs<Given extends readonly unknown[]>(...paths: Paths<Given>): FsRule {
  return atCaller(roDirs, () => fsRule("roDirs()", readDirs, paths));
}

/**
 * Grants reading, executing, writing, creating and removing everything beneath directories: all
 * rights but `refer`, `ioctl_dev` and `resolve_unix`. On a file: what applies to files. ABI 1.
 *
 * @param paths Existing paths, absolute or relative to the current directory, or `file:` URLs
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where one is no path
 */
export function rwDirs<Given extends readonly unknown[]>(...paths: Paths<Given>): FsRule {
  return atCaller(rwDirs, () => fsRule("rwDirs()", writeDirs, paths));
}

/**
 * Grants reading and executing files: `execute`, `read_file`. On a directory: the files beneath
 * it, but not its listing. ABI 1.
 *
 * @param paths Existing paths, absolute or relative to the current directory, or `file:` URLs
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where one is no path
 */
export function roFiles<Given extends readonly unknown[]>(...paths: Paths<Given>): FsRule {
  return atCaller(roFiles, () => fsRule("roFiles()", readFiles, paths));
}

/**
 * Grants reading, executing and writing files: `execute`, `read_file`, `write_file`, `truncate`.
 * On a directory: the files beneath it, but creating none. ABI 1.
 *
 * @param paths Existing paths, absolute or relative to the current directory, or `file:` URLs
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where one is no path
 */
export function rwFiles<Given extends readonly unknown[]>(...paths: Paths<Given>): FsRule {
  return atCaller(rwFiles, () => fsRule("rwFiles()", writeFiles, paths));
}

/**
 * Grants exactly these rights. The Config has to handle each of them, and a right that applies
 * to directories is an error on anything else. ABI 1, or that of the newest right.
 *
 * @param rights Names out of `accessFs`; grant `write_file` and `truncate` together
 * @param paths Existing paths, absolute or relative to the current directory, or `file:` URLs
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where one is no right or no path
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
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where one is no port
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#network-flags}
 */
export function bindTcp<Given extends readonly number[]>(...ports: Ports<Given>): NetRule {
  return atCaller(bindTcp, () => netRule("bindTcp", ports));
}

/**
 * Grants connecting TCP sockets to remote ports, ABI 4.
 *
 * @param ports 0 to 65535
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where one is no port
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#network-flags}
 */
export function connectTcp<Given extends readonly number[]>(...ports: Ports<Given>): NetRule {
  return atCaller(connectTcp, () => netRule("connectTcp", ports));
}

/**
 * Grants binding UDP sockets to local ports, ABI 10.
 *
 * @param ports 0 to 65535; a client that binds nothing itself needs 0
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where one is no port
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#network-flags}
 */
export function bindUdp<Given extends readonly number[]>(...ports: Ports<Given>): NetRule {
  return atCaller(bindUdp, () => netRule("bindUdp", ports));
}

/**
 * Grants connecting UDP sockets and sending datagrams to remote ports, ABI 10.
 *
 * @param ports 0 to 65535
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where one is no port
 * @see {@link https://docs.kernel.org/userspace-api/landlock.html#network-flags}
 */
export function connectSendUdp<Given extends readonly number[]>(...ports: Ports<Given>): NetRule {
  return atCaller(connectSendUdp, () => netRule("connectSendUdp", ports));
}

/**
 * Makes one rule of many. Nests; without rules it grants nothing.
 *
 * @param rules Rules of any kind, or equal plain data
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where one is no rule
 */
export function composite(...rules: Rule[]): CompositeRule {
  const list = () => rules.map((rule) => checked(rule, "composite()"));
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
