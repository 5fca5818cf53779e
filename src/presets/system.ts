/** Presets for parts of the system with known places. */
import { openSync } from "node:fs";
import { inheritedVariable } from "../kernel/inherited.ts";
import { currentDirectory } from "../kernel/names.ts";
import { O_PATH } from "../kernel/uapi.ts";
import { parse } from "../validate/parse.ts";
import type { CompositeRule, FsRule } from "../sandbox/rules.ts";
import { composite, roDirs, rwDirs } from "../sandbox/rules.ts";
import { listable, readable, writable } from "./grant.ts";

/** Settings of `presets.bun()`. */
export interface BunOptions {
  /** Whether Bun processes will be started inside the sandbox too; default false. */
  readonly children?: boolean;
}

/** A descriptor that stays open after the first call of `bun()`; 0 before that. */
let ownProc = 0;

/**
 * Keeps the inode of this process's directory in /proc alive. A rule refers to an inode, and procfs
 * replaces unused inodes when memory is tight, so the rule would no longer match.
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
 * Grants what the Bun runtime itself opens after the first line of a script. It grants reading
 * `/proc/self`, the files in `/proc` and `/sys` on memory and CPUs, and `/dev/urandom`, which
 * `bun:sqlite` uses. It also grants reading and writing `/dev/null`, which `Bun.spawn()` opens for
 * ignored stdio, and `timezone()`. Without it `process.memoryUsage()` throws and `Bun.spawn()`
 * fails with `EACCES`; `os.freemem()`, `os.cpus()` and SQLite's random numbers get worse without an
 * error. ABI 1.
 *
 * A Bun process that is started inside the sandbox reads its own `/proc/PID` and aborts if it
 * can't. No rule can name that directory before it exists, so `{ children: true }` grants reading
 * all of `/proc`, and the limits in `/sys/fs/cgroup`. The sandbox can then see other processes and
 * their command lines. It can't see their memory and environment, because the kernel forbids
 * tracing processes outside of the sandbox. Such a Bun process also needs `executable("bun")` and
 * `cwd()`.
 *
 * Call it in the process that will be restricted: it keeps one descriptor open for `/proc/self`.
 *
 * @param options `children`: whether Bun will be started inside the sandbox too
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if an option is unknown
 */
export function bun(options?: BunOptions): CompositeRule {
  const { children = false } =
    options === undefined ? {} : parse("bunPreset", options, { preset: "bun" });
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
 * Grants reading and listing the local time zone and the zone database: `/etc/localtime`,
 * `/etc/timezone`, `/usr/share/zoneinfo` and similar paths, and `TZDIR` if it is set. Bun has its
 * own zone database and finds the local zone through the link `/etc/localtime`, which needs no
 * right. If that is a file, Bun falls back to UTC or a zone with the same abbreviation without this
 * preset. Other programs, such as `date`, treat every zone as UTC then. ABI 1.
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
 * Grants reading and listing the certificates that TLS trusts, and OpenSSL's configuration. It
 * knows their places on Debian, Fedora, Alpine, Arch and SUSE, and uses `SSL_CERT_FILE`,
 * `SSL_CERT_DIR`, `NODE_EXTRA_CA_CERTS` and `OPENSSL_CONF` if they are set. It grants no private
 * keys. Without it, Bun falls back to its built-in authorities and refuses certificates of local
 * ones with `UNABLE_TO_VERIFY_LEAF_SIGNATURE`. Other programs trust no certificate. ABI 1.
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
 * Grants the rights of `rwDirs()` on the folder for temporary files, as in `os.tmpdir()`. That is
 * what `TMPDIR`, `TMP` or `TEMP` named when this process was started, or `/tmp`. Everyone usually
 * shares that folder, so prefer to make your own folder in it and grant that. Without it, creating
 * a file there fails with `EACCES`. ABI 1.
 *
 * @returns A rule; using it fails with `ERR_LANDLOCK_PATH` if the folder doesn't exist
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
 * Grants the current directory and everything beneath it, with the rights of `roDirs()` or
 * `rwDirs()`. The directory is the current one at the time of the call. Without it, a Bun process
 * that is started inside the sandbox ends with `CouldntReadCurrentDirectory`, because it lists that
 * directory first. ABI 1.
 *
 * @param options `write`: whether to grant the rights of `rwDirs()`
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if an option is unknown
 */
export function cwd(options?: CwdOptions): FsRule {
  const { write = false } =
    options === undefined ? {} : parse("cwdPreset", options, { preset: "cwd" });
  return write ? rwDirs(currentDirectory()) : roDirs(currentDirectory());
}
