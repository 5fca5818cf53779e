/** Presets for what the system itself provides: files whose places are known. */
import { openSync } from "node:fs";
import { inheritedVariable } from "../kernel/inherited.ts";
import { currentDirectory } from "../kernel/names.ts";
import { O_PATH } from "../kernel/uapi.ts";
import { parse } from "../validate/parse.ts";
import type { CompositeRule, FsRule } from "../sandbox/rule.ts";
import { composite, roDirs, rwDirs } from "../sandbox/rules.ts";
import { listable, readable, writable } from "./grant.ts";

/** Settings of `presets.bun()`. */
export interface BunOptions {
  /** Whether Bun processes will be started inside the sandbox too; default false. */
  readonly children?: boolean;
}

/** Open for good, once `bun()` was called; 0: not yet. */
let ownProc = 0;

/**
 * Keeps the directory of this process in /proc alive. A rule holds on to an inode, and procfs makes
 * a new one where memory got tight: without this the rule would be lost then.
 */
function keepOwnProc(): void {
  if (ownProc !== 0) return;
  try {
    ownProc = openSync("/proc/self", O_PATH);
  } catch {
    ownProc = -1;
  }
}

/**
 * What the Bun runtime itself opens after the first line of a script: `/proc/self`, and what
 * `/proc` and `/sys` say of memory and CPUs, for reading; `/dev/null`, which `Bun.spawn()` opens
 * for stdio that is ignored, for reading and writing; `/dev/urandom`, which `bun:sqlite` reads; and
 * `timezone()`. Without them `process.memoryUsage()` throws, `Bun.spawn()` fails with `EACCES`, and
 * `os.freemem()`, `os.cpus()` and SQLite's random numbers get worse in silence. ABI 1.
 *
 * A Bun process that is started inside the sandbox reads its own `/proc/PID`, which no rule can
 * name before it exists, and aborts where it cannot: `{ children: true }` grants reading all of
 * `/proc`, and the limits in `/sys/fs/cgroup`. What other processes run can be seen then, their
 * command lines included; their memory and environment cannot, for the kernel keeps a sandbox from
 * tracing what is outside. It needs `executable("bun")` and `cwd()` besides.
 *
 * For the process that calls it: keeps one descriptor open, for its `/proc/self`.
 *
 * @param options `children`: whether Bun is to be started inside too
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where an option is unknown
 */
export function bun(options?: BunOptions): CompositeRule {
  const { children = false } =
    options === undefined ? {} : parse("bunPreset", options, "presets.bun()");
  if (!children) keepOwnProc();
  const ofAll = ["/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/sys/vm"];
  const proc = children ? ["/proc", "/sys/fs/cgroup"] : ["/proc/self", ...ofAll];
  const sys = ["/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage"];
  return composite(
    readable([...proc, ...sys, "/dev/urandom"]),
    writable(["/dev/null"]),
    timezone(),
  );
}

/**
 * The local time zone and the zone database: `/etc/localtime`, `/etc/timezone`,
 * `/usr/share/zoneinfo` and the like, and `TZDIR` where it is set, for reading and listing. Bun
 * has a zone database of its own, and finds out the local zone by the link `/etc/localtime`, for
 * which it needs no right; where that is a file, Bun falls back to UTC, or to a zone that shares
 * the abbreviation, without this preset. Other programs, `date` among them, take every zone for
 * UTC then. ABI 1.
 */
export function timezone(): FsRule {
  const own = inheritedVariable("TZDIR");
  return listable([
    "/etc/localtime",
    "/etc/timezone",
    "/usr/share/zoneinfo",
    "/usr/lib/zoneinfo",
    "/usr/share/lib/zoneinfo",
    "/etc/zoneinfo",
    ...(own ? [own] : []),
  ]);
}

/**
 * The certificates of the authorities that TLS trusts, and OpenSSL's configuration, for reading
 * and listing: where Debian, Fedora, Alpine, Arch and SUSE have them, and what `SSL_CERT_FILE`,
 * `SSL_CERT_DIR`, `NODE_EXTRA_CA_CERTS` and `OPENSSL_CONF` name where they are set. No private
 * keys. Without it, a certificate of an authority that only this machine trusts is refused:
 * `UNABLE_TO_VERIFY_LEAF_SIGNATURE` in Bun, which falls back to the authorities it was built with;
 * other programs trust nobody. ABI 1.
 */
export function tls(): FsRule {
  const own = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "OPENSSL_CONF"];
  return listable([
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/tls/openssl.cnf",
    "/etc/pki/ca-trust/extracted",
    "/etc/ca-certificates/extracted",
    "/etc/crypto-policies/back-ends",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/share/crypto-policies",
    "/usr/share/pki",
    "/var/lib/ca-certificates",
    ...own.flatMap((name) =>
      (inheritedVariable(name) ?? "").split(":").filter((path) => path !== ""),
    ),
  ]);
}

/**
 * The folder for temporary files, as `os.tmpdir()` says it: what `TMPDIR`, `TMP` or `TEMP` names in
 * the environment that this process was started with, or `/tmp`. The rights of `rwDirs()`. It is most
 * often everybody's: where you can, make a folder of your own in it and grant that. Without it,
 * creating a file there fails with `EACCES`. ABI 1.
 *
 * @returns A rule that is an error later, `ERR_LANDLOCK_PATH`, where the folder does not exist
 */
export function tmp(): FsRule {
  const named = ["TMPDIR", "TMP", "TEMP"].map(inheritedVariable).find((path) => path);
  return rwDirs(named?.replace(/(?<=.)\/$/, "") ?? "/tmp");
}

/** Settings of `presets.cwd()`. */
export interface CwdOptions {
  /** Whether files there may be changed, created and removed; default false. */
  readonly write?: boolean;
}

/**
 * The current directory and all beneath it, as it is at the time of the call: the rights of
 * `roDirs()`, or those of `rwDirs()`. Without it a Bun process that is started inside the sandbox
 * ends with `CouldntReadCurrentDirectory`, for it lists that directory first. ABI 1.
 *
 * @param options `write`: whether to grant the rights of `rwDirs()`
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where an option is unknown
 */
export function cwd(options?: CwdOptions): FsRule {
  const { write = false } =
    options === undefined ? {} : parse("cwdPreset", options, "presets.cwd()");
  return write ? rwDirs(currentDirectory()) : roDirs(currentDirectory());
}
